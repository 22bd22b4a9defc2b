import { expect, test } from "vitest";
import { parseDuration, parseSize } from "./quantity.ts";

test.each<[string | number, number | undefined]>([
  ["2s", 2],
  ["500ms", 0.5],
  [" 1.5 min ", 90],
  ["1h", 3600],
  ["3", 3],
  [0.25, 0.25],
  ["2 days", undefined],
  ["0s", undefined],
  ["-1s", undefined],
  ["s", undefined],
  ["toString", undefined],
])("the duration %s is %s seconds", (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test.each<[string | number, number | undefined]>([
  ["4GB", 4e9],
  ["4 GiB", 4 * 2 ** 30],
  ["1.5MB", 1.5e6],
  [1024, 1024],
  ["512B", 512],
  ["4G", undefined],
  ["GB", undefined],
])("the size %s is %s bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});
