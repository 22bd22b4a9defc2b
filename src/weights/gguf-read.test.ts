import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { dequantiser } from "./dequantise.ts";
import reference from "./fixtures/gguf.json" with { type: "json" };
import { readGguf, readTensor } from "./gguf-read.ts";
import { writeGguf } from "./gguf-write.ts";
import { quantise, type WritableType } from "./quantise.ts";

const folder = mkdtempSync(join(tmpdir(), "gguf-read-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));
const floatsOf = (base64: string): Float32Array => new Float32Array(bytesOf(base64).buffer);

describe("tensor types agree with the Python package gguf", () => {
  test.each(Object.entries(reference.dequantised))("%s to numbers", (type, { packed, numbers }) => {
    const expected = floatsOf(numbers);
    expect(dequantiser(type)?.(bytesOf(packed), expected.length)).toEqual(expected);
  });

  test.each(Object.entries(reference.written))("numbers to %s", (type, { numbers, packed }) => {
    expect(quantise(floatsOf(numbers), type as WritableType)).toEqual(bytesOf(packed));
  });
});

test.each(["F32", "F16", "Q8_0"] as const)("a large tensor, unpacked piece by piece, is what it is at once: %s", async (type) => {
  const path = join(folder, `large-${type}.gguf`);
  const data = Float32Array.from({ length: 96 * 25_000 }, (_, index) => Math.sin(index));
  await writeGguf({ path, metadata: {}, tensors: [{ name: "large", shape: [25_000, 96], type, data }] });
  const [read, whole] = [await readTensor(await readGguf(path), "large"), dequantiser(type)!(quantise(data, type), data.length)];
  expect(Buffer.from(read.buffer).equals(Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength))).toBe(true);
});

describe("a file written by the Python package gguf", () => {
  const path = join(folder, "reference.gguf");
  beforeAll(() => writeFileSync(path, bytesOf(reference.file)));

  test("gives its metadata with the types it was written under", async () => {
    const file = await readGguf(path);
    expect(file.metadata).toEqual({
      "general.architecture": "llama",
      "a.uint32": 7,
      "a.int32": -7,
      "a.uint8": 200,
      "a.int8": -100,
      "a.uint16": 60000,
      "a.int16": -30000,
      "a.uint64": 2n ** 60n,
      "a.int64": -5,
      "a.float32": 0.5,
      "a.float64": 0.1,
      "a.bool": true,
      "a.string": "größer 🦙",
      "a.strings": ["x", "", "ß"],
      "a.ints": [1, -2, 3],
      "a.floats": [0.5, -1.5],
    });
    expect(file.metadataTypes["a.strings"]).toBe("string[]");
    expect(file.metadataTypes["a.int16"]).toBe("int16");
  });

  test("gives its tensors: shapes as rows, places and numbers", async () => {
    const file = await readGguf(path);
    const table = Object.fromEntries([...file.tensors].map(([name, { name: _, ...rest }]) => [name, rest]));
    expect(table).toEqual(reference.tensors);
    expect(await readTensor(file, "matrix")).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
    expect(await readTensor(file, "half")).toEqual(floatsOf(reference.dequantised.F16.numbers));
  });

  test("cut anywhere, is one clear error", async () => {
    const bytes = bytesOf(reference.file);
    const cut = join(folder, "cut.gguf");
    for (let length = 0; length < bytes.length; length += 37) {
      writeFileSync(cut, bytes.subarray(0, length));
      await expect(readGguf(cut), `cut at ${length}`).rejects.toThrow(UserError);
    }
  });

  test("changed anywhere, is one clear error or still a file, and every tensor lies within it", async () => {
    const good = bytesOf(reference.file);
    const headerBytes = reference.tensors.matrix.offset;
    const changed = join(folder, "changed.gguf");
    const change = fc.record({ place: fc.nat(headerBytes - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = Uint8Array.from(good);
        for (const { place, bytes: piece } of changes) bytes.set(piece, place);
        writeFileSync(changed, bytes);
        expect(await readEverything(changed, bytes.length).catch(String)).toMatch(/^(whole|UserError: [^\n]+)$/);
      }),
      { numRuns: 200 },
    );
  });

  test("an unknown tensor type is named when the tensor is read, not before", async () => {
    const bytes = bytesOf(reference.file);
    const place = Buffer.from(bytes).indexOf("packed") + "packed".length + 4 + 16;
    new DataView(bytes.buffer).setUint32(place, 57, true);
    const odd = join(folder, "odd.gguf");
    writeFileSync(odd, bytes);
    const file = await readGguf(odd);
    await expect(readTensor(file, "packed")).rejects.toThrow(
      /Tensor packed of .* is stored as type 57, which cannot be read as numbers\. Use a file in one of F32/,
    );
  });
});

async function readEverything(path: string, fileBytes: number): Promise<"whole"> {
  const file = await readGguf(path);
  for (const tensor of file.tensors.values()) {
    if (tensor.offset + tensor.bytes > fileBytes) throw new Error(`${tensor.name} lies beyond the file`);
    const numbers = await readTensor(file, tensor.name);
    if (numbers.length !== tensor.shape.reduce((a, b) => a * b, 1)) throw new Error(`${tensor.name} has ${numbers.length} numbers`);
  }
  return "whole";
}

test("a missing file, another format and a tensor that is not there are one-line errors", async () => {
  await expect(readGguf(join(folder, "none.gguf"))).rejects.toThrow(/^Cannot read .*none\.gguf: ENOENT.*Check the path\.$/);
  const other = join(folder, "other.gguf");
  writeFileSync(other, "PK\u0003\u0004 something else entirely, long enough");
  await expect(readGguf(other)).rejects.toThrow(/is no usable GGUF file: it does not begin with "GGUF"/);
  const path = join(folder, "reference.gguf");
  await expect(readTensor(await readGguf(path), "blk.0.attn_q.weight")).rejects.toThrow(/No tensor blk\.0\.attn_q\.weight in/);
});

test("counts that no file could hold are refused before anything is allocated", async () => {
  const path = join(folder, "lying.gguf");
  const header = Buffer.alloc(24);
  header.write("GGUF");
  header.writeUInt32LE(3, 4);
  header.writeBigUInt64LE(2n ** 62n, 8);
  writeFileSync(path, header);
  await expect(readGguf(path)).rejects.toThrow(/claims 4611686018427388000 tensors and 0 metadata entries, more than its 0 bytes can hold/);
});
