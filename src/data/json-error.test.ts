import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonErrorOffset } from "./json-error.ts";

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("what JSON.parse reads has no error, in any writing", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(undefined, 1, "\t"), (json, space) => {
      expect(jsonErrorOffset(json)).toBeUndefined();
      expect(jsonErrorOffset(` ${JSON.stringify(JSON.parse(json), null, space)}\n`)).toBeUndefined();
    }),
  );
});

test("it agrees with JSON.parse on texts that are nearly JSON", () => {
  const almost = fc
    .tuple(fc.json({ maxDepth: 2 }), fc.nat(), fc.constantFrom("", ",", "}", '"', "x", "0", "-", "\n", "\\", "\u00a0", "\v"))
    .map(([json, at, insert]) => {
      const position = at % (json.length + 1);
      return json.slice(0, position) + insert + json.slice(insert === "" ? position + 1 : position);
    });
  fc.assert(
    fc.property(almost, (text) => {
      expect(jsonErrorOffset(text) === undefined).toBe(parses(text));
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ['{"a": x}', 6],
  ['{"a":1,}', 7],
  ['{"a":1', 6],
  ["{'a':1}", 1],
  ['{"a":"tab\there"}', 5],
  ['{"a":1} {"b":2}', 8],
  ["[1 2]", 3],
  ["", 0],
])("%s breaks at %d", (text, offset) => {
  expect(jsonErrorOffset(text)).toBe(offset);
});
