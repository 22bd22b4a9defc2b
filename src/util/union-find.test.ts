import fc from "fast-check";
import { expect, test } from "vitest";
import { unionFind } from "./union-find.ts";

test("two items have one root exactly when a chain of unions joins them", () => {
  const edge = fc.tuple(fc.nat({ max: 19 }), fc.nat({ max: 19 }));
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 25 }), (edges) => {
      const sets = unionFind(20);
      let labels = Array.from({ length: 20 }, (_, item) => item);
      for (const [a, b] of edges) {
        sets.union(a, b);
        labels = labels.map((label) => (label === labels[a] ? (labels[b] as number) : label));
      }
      for (let a = 0; a < 20; a++) {
        for (let b = 0; b < 20; b++) expect(sets.find(a) === sets.find(b)).toBe(labels[a] === labels[b]);
      }
    }),
  );
});
