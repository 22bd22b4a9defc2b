import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, contentKey, sha256, sha256File, sha256Pieces } from "./hash.ts";

test("SHA-256 agrees with the standard's own example, for text, bytes and files", async () => {
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-2, B.1
  expect(sha256("abc")).toBe(abc);
  expect(sha256(new Uint8Array([97, 98, 99]))).toBe(abc);
  expect(await sha256Pieces([new Uint8Array([97]), new Uint8Array(), new Uint8Array([98, 99])])).toBe(abc);
  const folder = await mkdtemp(join(tmpdir(), "sartor-hash-"));
  await writeFile(join(folder, "abc"), "abc");
  expect(await sha256File(join(folder, "abc"))).toBe(abc);
  await rm(folder, { recursive: true });
});

test("canonical JSON sorts keys at every depth and drops what is undefined", () => {
  expect(canonicalJson({ b: [{ d: 1, c: undefined }, undefined], a: { y: null, x: "é" } })).toBe(
    '{"a":{"x":"é","y":null},"b":[{"d":1},null]}',
  );
  expect(contentKey(undefined)).toBe(contentKey(null));
});

test("values are equal under canonical JSON whatever the order of their keys", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse());
      expect(contentKey(reversed)).toBe(contentKey(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test.each([
  [{ a: Number.NaN }, 'NaN in "a"'],
  [{ a: Number.POSITIVE_INFINITY }, 'Infinity in "a"'],
  [{ a: new Map() }, '"a" is no plain object'],
  [{ a: new Float32Array(2) }, '"a" is no plain object'],
  [{ a: () => 1 }, 'A function in "a"'],
])("what JSON would lose is refused: %o", (value, message) => {
  expect(() => contentKey(value)).toThrow(message);
});
