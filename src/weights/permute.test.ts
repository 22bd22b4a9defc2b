import fc from "fast-check";
import { expect, test } from "vitest";
import { permuteRows, unpermuteRows } from "./permute.ts";

// reshape(heads, 2, rows / heads / 2, columns).swapaxes(1, 2) of convert_hf_to_gguf.py, over rows numbered 0 to 7.
test("the rows of llama.cpp's conversion", () => {
  const rows = Float32Array.from({ length: 8 }, (_, row) => row);
  expect([...permuteRows(rows, { rows: 8, heads: 1 })]).toEqual([0, 4, 1, 5, 2, 6, 3, 7]);
  expect([...permuteRows(rows, { rows: 8, heads: 2 })]).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
});

test("there and back is the same matrix", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), (heads, half, columns) => {
      const rows = heads * half * 2;
      const matrix = Float32Array.from({ length: rows * columns }, (_, i) => i);
      expect(unpermuteRows(permuteRows(matrix, { rows, heads }), { rows, heads })).toEqual(matrix);
    }),
  );
});
