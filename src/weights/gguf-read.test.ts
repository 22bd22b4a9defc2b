import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dequantiser, readableTypes } from "./dequantise.ts";
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

  test("all that are read, but for F32, which stands as it is", () => {
    expect(Object.keys(reference.dequantised).sort()).toEqual(readableTypes.filter((type) => type !== "F32").sort());
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

  test.each([
    ["a type that ggml has added since", 57, "type 57"],
    ["a type that is not read here", 24, "I8"],
  ])("%s is named when the tensor is read, not before", async (_, number, name) => {
    const bytes = bytesOf(reference.file);
    const place = Buffer.from(bytes).indexOf("packed") + "packed".length + 4 + 16;
    new DataView(bytes.buffer).setUint32(place, number, true);
    const odd = join(folder, "odd.gguf");
    writeFileSync(odd, bytes);
    const file = await readGguf(odd);
    await expect(readTensor(file, "packed")).rejects.toThrow(
      `Tensor "packed" of ${odd} is stored as ${name}, which cannot be read as numbers. Use a file in one of F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS.`,
    );
  });
});

test("a missing file, another format and a tensor that is not there are one-line errors", async () => {
  await expect(readGguf(join(folder, "none.gguf"))).rejects.toThrow(/^Cannot read .*none\.gguf: ENOENT.*Check the path\.$/);
  const other = join(folder, "other.gguf");
  writeFileSync(other, "PK\u0003\u0004 something else entirely, long enough");
  await expect(readGguf(other)).rejects.toThrow(/is no usable GGUF file: it does not begin with "GGUF"/);
  const path = join(folder, "reference.gguf");
  await expect(readTensor(await readGguf(path), "blk.0.attn_q.weight")).rejects.toThrow(/No tensor "blk\.0\.attn_q\.weight" in/);
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
