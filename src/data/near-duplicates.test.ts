import fc from "fast-check";
import { expect, test } from "vitest";
import { words } from "../util/words.ts";
import { nearDuplicates } from "./near-duplicates.ts";

test("the same words are duplicates whatever their case, spaces and signs", () => {
  const texts = ["My bike is late!", "my   bike is LATE", "Where is it", "my bike is late?"];
  expect(nearDuplicates({ texts })).toEqual([
    { a: 0, b: 1, similarity: 1 },
    { a: 0, b: 3, similarity: 1 },
  ]);
});

test("one word more in a long sentence is a near duplicate, another sentence is not", () => {
  const first = "could you tell me why the new card has not arrived at my house";
  const texts = [first, `${first} yet`, `please could you say why my card is not here`, "hello"];
  expect(nearDuplicates({ texts })).toEqual([{ a: 0, b: 1, similarity: 12 / 13 }]);
});

test("texts without words are told apart by their signs", () => {
  expect(nearDuplicates({ texts: ["👍", "👎", " 👍 ", "", "+", "-"] })).toEqual([{ a: 0, b: 2, similarity: 1 }]);
});

/** Every pair compared, by the definition. */
function byBruteForce(texts: readonly string[], threshold: number): string[] {
  const sets = texts.map((text) => {
    const found = words(text);
    return { same: found.join(" "), shingles: new Set(found.slice(2).map((_, index) => found.slice(index, index + 3).join(" "))) };
  });
  const pairs: string[] = [];
  sets.forEach((x, a) =>
    sets.slice(0, a).forEach((y, b) => {
      const shared = [...x.shingles].filter((one) => y.shingles.has(one)).length;
      const similar = x.shingles.size > 0 && shared / (x.shingles.size + y.shingles.size - shared) >= threshold;
      if (x.same !== y.same && similar) pairs.push(`${b}-${a}`);
    }),
  );
  return pairs.sort();
}

test("prefix filtering finds exactly the pairs that comparing all with all finds", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 14 }).map((list) => list.join(" "));
  fc.assert(
    fc.property(fc.uniqueArray(text, { maxLength: 25 }), fc.constantFrom(0.5, 0.8, 1), (texts, threshold) => {
      const found = nearDuplicates({ texts, threshold }).map(({ a, b }) => `${a}-${b}`);
      expect(found.sort()).toEqual(byBruteForce(texts, threshold));
    }),
    { numRuns: 300 },
  );
});
