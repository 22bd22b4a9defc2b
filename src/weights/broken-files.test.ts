// Files that are cut, changed or lie about themselves: one clear line or a good parse, and never more memory than the file is worth.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import reference from "./fixtures/gguf.json" with { type: "json" };
import { readGgufAdapter, writeGgufAdapter } from "./gguf-adapter.ts";
import { readGguf, readTensor } from "./gguf-read.ts";
import { writeGguf } from "./gguf-write.ts";
import { checkLora, type LoraWeights } from "./lora.ts";
import { readPeftAdapter, writePeftAdapter } from "./peft-adapter.ts";

const folder = mkdtempSync(join(tmpdir(), "broken-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const attention = { architecture: "llama", heads: 2, kvHeads: 1 };
const pair = (target: string, outputs: number) => ({
  target,
  a: new Float32Array(2 * 8).fill(0.5),
  b: new Float32Array(outputs * 2).fill(-1),
  rank: 2,
  inputs: 8,
  outputs,
});
const lora: LoraWeights = { architecture: "llama", alpha: 4, tensors: [pair("blk.0.attn_q.weight", 8), pair("blk.0.ffn_up.weight", 12)] };

const good = { gguf: Uint8Array.from(Buffer.from(reference.file, "base64")), adapter: new Uint8Array(), peft: new Uint8Array() };
beforeAll(async () => {
  await writeGgufAdapter({ path: at("adapter.gguf"), ...lora });
  good.adapter = readFileSync(at("adapter.gguf"));
  await writePeftAdapter({ folder: at("peft"), baseModel: "nobody/tiny", ...lora, ...attention });
  good.peft = readFileSync(at("peft/adapter_model.safetensors"));
});

type Kind = keyof typeof good;

/** What each kind of file is, once read; an error is thrown where that breaks a promise of the reader. */
const readers: { readonly [K in Kind]: (bytes: Uint8Array) => Promise<void> } = {
  async gguf(bytes) {
    writeFileSync(at("changed.gguf"), bytes);
    const file = await readGguf(at("changed.gguf"));
    const items = Object.values(file.metadata).map((value) => (typeof value === "object" || typeof value === "string" ? value.length : 1));
    expect(items.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(bytes.length);
    const tensors = [...file.tensors.values()];
    expect(tensors.reduce((sum, tensor) => sum + tensor.bytes, 0)).toBeLessThanOrEqual(bytes.length);
    for (const { name, shape } of tensors) {
      const numbers = await readTensor(file, name).catch((error: unknown) => expectUnreadable(error));
      if (numbers) expect(numbers.length).toBe(shape.reduce((product, size) => product * size, 1));
    }
  },
  async adapter(bytes) {
    writeFileSync(at("changed.gguf"), bytes);
    expectLora(await readGgufAdapter(at("changed.gguf")));
  },
  async peft(bytes) {
    writeFileSync(at("peft/adapter_model.safetensors"), bytes);
    expectLora(await readPeftAdapter(at("peft"), attention));
  },
};

function expectUnreadable(error: unknown): undefined {
  expect(String(error)).toMatch(/^UserError: Tensor .* is stored as .*, which cannot be read as numbers\./);
}

function expectLora({ alpha, tensors }: LoraWeights): void {
  expect(Number.isFinite(alpha)).toBe(true);
  expect(tensors.length).toBeGreaterThan(0);
  for (const tensor of tensors) {
    checkLora(tensor);
    expect(tensor.rank * tensor.inputs * tensor.outputs).toBeGreaterThan(0);
  }
}

async function expectLineOrWhole(reading: Promise<void>): Promise<void> {
  const outcome = await reading.then(() => "whole", String);
  // Control characters, unlike line breaks alone, could also rewrite the terminal.
  expect(outcome).toMatch(/^(whole|UserError: [^\p{Cc}\u2028\u2029]{1,600})$/u);
}

const wholeNumber = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 4096n }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const change = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), place, bit: fc.nat(7) }),
  fc.record({ kind: fc.constant("count" as const), place, value: wholeNumber, bytes: fc.constantFrom(4, 8) }),
  fc.record({ kind: fc.constant("remove" as const), place, length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant("repeat" as const), place, length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({
    kind: fc.constant("text" as const),
    place,
    value: fc.constantFrom("\n\u001b[2J", "__proto__", "\u2028", "}", "]", "-1", "1e99"),
  }),
);
type Change = typeof change extends fc.Arbitrary<infer C> ? C : never;

function changed(bytes: Uint8Array, one: Change): Uint8Array {
  const start = Math.floor(one.place * bytes.length);
  const [before, after] = [bytes.subarray(0, start), bytes.subarray(start)];
  if (one.kind === "remove") return Buffer.concat([before, after.subarray(one.length)]);
  if (one.kind === "repeat") return Buffer.concat([before, after.subarray(0, one.length), after]);
  const piece =
    one.kind === "text" ? Buffer.from(one.value) : one.kind === "flip" ? Uint8Array.of(bytes[start]! ^ (1 << one.bit)) : littleEndian(one);
  return Buffer.concat([before, piece, after.subarray(piece.length)]);
}

function littleEndian({ value, bytes }: { readonly value: bigint; readonly bytes: number }): Uint8Array {
  const word = Buffer.alloc(8);
  word.writeBigUInt64LE(value);
  return word.subarray(0, bytes);
}

describe.each(Object.keys(good) as Kind[])("%s", (kind) => {
  const read = readers[kind];

  test("is read as it was written", async () => {
    await expect(read(good[kind])).resolves.toBeUndefined();
  });

  test("cut at any length, is one clear line", async () => {
    for (let length = 0; length < good[kind].length; length++)
      await expect(read(good[kind].subarray(0, length)), `cut at ${length}`).rejects.toThrow(UserError);
  }, 60_000);

  test("with a bit turned in any byte, is one clear line or whole", async () => {
    for (let byte = 0; byte < Math.min(good[kind].length, 700); byte++)
      await expectLineOrWhole(read(changed(good[kind], { kind: "flip", place: byte / good[kind].length, bit: (byte * 5) % 8 })));
  }, 60_000);

  test("changed in any way, is one clear line or whole", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) =>
        expectLineOrWhole(read(changes.reduce<Uint8Array>(changed, good[kind]))),
      ),
      { numRuns: 400 },
    );
  }, 60_000);
});

interface Claim {
  readonly name: string;
  readonly dimensions: readonly bigint[];
  readonly type: number;
  readonly offset: bigint;
}

/** A GGUF file with one array in its metadata and a table of tensors that is taken at its word; 256 bytes of data. */
function claimingGguf({
  itemType = 4,
  items = 0n,
  tensors = [],
}: {
  itemType?: number;
  items?: bigint;
  tensors?: readonly Claim[];
}): Buffer {
  const word = (value: number | bigint, bytes = 8): Uint8Array => littleEndian({ value: BigInt(value), bytes });
  const text = (value: string): Buffer => Buffer.concat([word(Buffer.byteLength(value)), Buffer.from(value)]);
  const entry = [text("some.array"), word(9, 4), word(itemType, 4), word(items)];
  const table = tensors.flatMap(({ name, dimensions, type, offset }) => [
    text(name),
    word(dimensions.length, 4),
    ...dimensions.map((size) => word(size)),
    word(type, 4),
    word(offset),
  ]);
  const header = Buffer.concat([Buffer.from("GGUF"), word(3, 4), word(tensors.length), word(1), ...entry, ...table]);
  return Buffer.concat([header, Buffer.alloc((32 - (header.length % 32)) % 32), Buffer.alloc(256)]);
}

const claim = fc.record({
  name: fc.string({ unit: "binary", maxLength: 8 }),
  dimensions: fc.array(fc.oneof(wholeNumber, fc.bigInt({ min: 0n, max: 8n })), { maxLength: 5 }),
  type: fc.oneof(fc.constant(0), fc.nat(40)),
  offset: fc.oneof(fc.constantFrom(0n, 32n, 64n), wholeNumber),
});

test("whatever a GGUF file claims of its arrays and tensors, it is one clear line or whole", async () => {
  const claims = fc.record({ itemType: fc.nat(13), items: wholeNumber, tensors: fc.array(claim, { maxLength: 4 }) });
  const honestArray = fc.record({ tensors: fc.array(claim, { maxLength: 4 }) });
  await fc.assert(
    fc.asyncProperty(fc.oneof(claims, honestArray), (claimed) => expectLineOrWhole(readers.gguf(claimingGguf(claimed)))),
    { numRuns: 600 },
  );
}, 60_000);

test("arrays of arrays, shared bytes, absurd and empty dimensions and counts are named", async () => {
  const two = (offset: bigint): Claim[] => [
    { name: "one", dimensions: [16n], type: 0, offset: 0n },
    { name: "two", dimensions: [16n], type: 0, offset },
  ];
  await expect(readers.gguf(claimingGguf({ tensors: two(64n) }))).resolves.toBeUndefined();
  await expect(readers.gguf(claimingGguf({ tensors: two(32n) }))).rejects.toThrow(/the tensors "one" and "two" stand in the same place/);
  await expect(readers.gguf(claimingGguf({ itemType: 9, items: 1n }))).rejects.toThrow(/"some\.array" is an array of arrays/);
  await expect(readers.gguf(claimingGguf({ items: 2n ** 40n }))).rejects.toThrow(/"some\.array" claims 1099511627776 items/);
  const empty = { name: "empty", dimensions: [4n, 0n], type: 0, offset: 0n };
  await expect(readers.gguf(claimingGguf({ tensors: [empty] }))).rejects.toThrow(
    /tensor "empty" claims the shape \[0, 4\], which is empty/,
  );
  const wide = { name: "wide", dimensions: [2n ** 40n, 2n ** 40n], type: 0, offset: 0n };
  await expect(readers.gguf(claimingGguf({ tensors: [wide] }))).rejects.toThrow(
    /tensor "wide" claims the shape \[1099511627776, 1099511627776\]/,
  );
});

test("whatever a safetensors header claims, it is one clear line or whole", async () => {
  const names = lora.tensors.flatMap((_, i) =>
    ["A", "B"].map((matrix) => `base_model.model.model.layers.${i}.self_attn.q_proj.lora_${matrix}.weight`),
  );
  const count = fc.oneof(fc.nat(16), fc.constantFrom(-1, 0.5, 2 ** 32, 2 ** 53, 1e300));
  const entry = fc.oneof(
    {
      weight: 9,
      arbitrary: fc.record({
        dtype: fc.constantFrom("F32", "F16", "I8", "\n"),
        shape: fc.array(count, { maxLength: 3 }),
        data_offsets: fc.array(count, { maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
  const header = fc.dictionary(fc.oneof(fc.constantFrom(...names, "__metadata__", "__proto__"), fc.string({ unit: "binary" })), entry);
  await fc.assert(
    fc.asyncProperty(fc.oneof(header, fc.jsonValue()), (claimed) => {
      const json = Buffer.from(JSON.stringify(claimed));
      const length = littleEndian({ value: BigInt(json.length), bytes: 8 });
      return expectLineOrWhole(readers.peft(Buffer.concat([length, json, Buffer.alloc(64)])));
    }),
    { numRuns: 600 },
  );
}, 60_000);

test("halves of a pair, rows that are no heads and shapes that do not fit are refused in adapters of both kinds", async () => {
  const [q, up] = lora.tensors as [LoraWeights["tensors"][number], LoraWeights["tensors"][number]];
  const write = (tensors: readonly { name: string; shape: readonly number[] }[]) =>
    writeGguf({
      path: at("odd.gguf"),
      metadata: { "general.architecture": "llama", "adapter.type": "lora", "adapter.lora.alpha": 4 },
      tensors: tensors.map((tensor) => ({ ...tensor, type: "F32", data: new Float32Array(tensor.shape.reduce((a, b) => a * b, 1)) })),
    });
  await write([{ name: "x.lora_b", shape: [8, 2] }]);
  await expect(readGgufAdapter(at("odd.gguf"))).rejects.toThrow(/the pair of "x" is not whole or does not fit together/);
  await write([
    { name: "x.lora_a", shape: [2, 8] },
    { name: "x.lora_b", shape: [8, 3] },
  ]);
  await expect(readGgufAdapter(at("odd.gguf"))).rejects.toThrow(/the pair of "x" is not whole or does not fit together/);
  await write([{ name: "x.lora_c", shape: [2, 8] }]);
  await expect(readGgufAdapter(at("odd.gguf"))).rejects.toThrow(/it holds "x\.lora_c", which is neither a lora_a nor a lora_b/);

  const threeRows = { ...q, b: new Float32Array(3 * 2), outputs: 3 };
  await writePeftAdapter({
    folder: at("odd"),
    baseModel: "nobody/tiny",
    ...attention,
    architecture: "qwen2",
    alpha: 4,
    tensors: [threeRows, up],
  });
  await expect(readPeftAdapter(at("odd"), attention)).rejects.toThrow(
    /the 3 rows of "[^"]*q_proj\.lora_B\.weight" are not those of 2 heads/,
  );
});

test.each([
  ["no JSON", "{\n \u001b[2J"],
  ["another kind of adapter", '{"peft_type": "LO\\nHA"}'],
  ["no number", '{"peft_type": "LORA", "lora_alpha": "8"}'],
  ["nothing", ""],
])("an adapter_config.json that holds %s is one clear line", async (_, text) => {
  mkdirSync(at("config"), { recursive: true });
  writeFileSync(at("config/adapter_config.json"), text);
  await expectLineOrWhole(readPeftAdapter(at("config"), attention).then(() => undefined));
  await expect(readPeftAdapter(at("config"), attention)).rejects.toThrow(/adapter_config\.json/);
});
