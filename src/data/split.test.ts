import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import type { LabelledExample } from "../task.ts";
import { inputKey, sides, splitExamples, targetCounts } from "./split.ts";
import type { KeptSides, Side, SplitResult } from "./split.ts";

const labels = ["billing", "booking", "repair"];
const output = { kind: "labels", labels } as const;

/** Inputs that share no word, so that none is a near duplicate of another by chance. */
const make = (index: number, more: Partial<LabelledExample> = {}): LabelledExample => ({
  id: `e${index}`,
  input: `a${index} b${index} c${index} d${index}`,
  output: labels[index % 3] as string,
  ...more,
});

const example = fc.record({
  index: fc.nat({ max: 400 }),
  label: fc.constantFrom(...labels, "billing", "billing"),
  group: fc.option(fc.constantFrom("g1", "g2", "g3", "g4"), { nil: undefined, freq: 4 }),
  copy: fc.option(fc.nat({ max: 400 }), { nil: undefined, freq: 6 }),
});
/** Some in groups, some with the input of another; three that are alone, so that there are three sides to be had. */
const alone = [9001, 9002, 9003].map((index) => make(index));
const examples = fc
  .uniqueArray(example, { selector: ({ index }) => index, minLength: 30, maxLength: 150 })
  .map((list) => [
    ...alone,
    ...list.map(({ index, label, group, copy }) =>
      make(index, { output: label, ...(group === undefined ? {} : { group }), ...(copy === undefined ? {} : { input: make(copy).input }) }),
    ),
  ]);

const idsOf = (result: SplitResult): { [S in Side]: string[] } => {
  const of = (side: Side): string[] => result.split[side].map(({ id }) => id);
  return { train: of("train"), validation: of("validation"), test: of("test") };
};
const sideOf = (result: SplitResult): Map<string, Side> =>
  new Map(sides.flatMap((side) => result.split[side].map(({ id }) => [id, side] as const)));
const keptOf = (result: SplitResult): KeptSides => ({
  inputs: new Map(sides.flatMap((side) => result.split[side].map((one) => [inputKey(one), side] as const))),
  groups: new Map(
    sides.flatMap((side) => result.split[side].flatMap((one) => (one.group === undefined ? [] : [[one.group, side] as const]))),
  ),
});

test.each([
  [10, { train: 3, validation: 2, test: 5 }],
  [60, { train: 18, validation: 12, test: 30 }],
  [200, { train: 60, validation: 40, test: 100 }],
  [300, { train: 140, validation: 60, test: 100 }],
  [1000, { train: 500, validation: 200, test: 300 }],
])("of %d examples a fifth is for validation, and the larger of 30 %% and 100 but at most half for the test", (count, expected) => {
  expect(targetCounts(count)).toEqual(expected);
});

describe("a split", () => {
  test("holds every example on exactly one side, and groups and duplicates whole", () => {
    fc.assert(
      fc.property(examples, fc.nat(), (list, seed) => {
        const result = splitExamples({ examples: list, output, seed });
        const ids = Object.values(idsOf(result)).flat();
        expect(ids.toSorted()).toEqual(list.map(({ id }) => id).toSorted());
        const side = sideOf(result);
        const together = list.flatMap((a) =>
          list.filter((b) => (a.group !== undefined && a.group === b.group) || a.input === b.input).map((b) => [a.id, b.id] as const),
        );
        expect(together.filter(([a, b]) => side.get(a) !== side.get(b) || result.groupOf.get(a) !== result.groupOf.get(b))).toEqual([]);
      }),
    );
  });

  test("does not depend on the order of the examples, down to the order within its sides", () => {
    fc.assert(
      fc.property(examples, fc.nat(), fc.infiniteStream(fc.nat()), (list, seed, stream) => {
        const shuffled = list
          .map((one) => ({ one, rank: stream.next().value as number }))
          .sort((x, y) => x.rank - y.rank)
          .map(({ one }) => one);
        const { notices: _first, ...before } = splitExamples({ examples: list, output, seed });
        const { notices: _second, ...after } = splitExamples({ examples: shuffled, output, seed });
        expect(after).toEqual(before);
      }),
    );
  });

  test("keeps its proportions, over all and in each label", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat({ max: 2000 }), { minLength: 60, maxLength: 300 }),
        fc.nat(),
        fc.integer({ min: 2, max: 9 }),
        (indices, seed, classes) => {
          const list = indices.map((index) => make(index, { output: `label${(index * index) % classes}` }));
          const { split } = splitExamples({ examples: list, output: { kind: "labels", labels: [] }, seed });
          const targets = targetCounts(list.length);
          for (const side of sides) {
            expect(Math.abs(split[side].length - targets[side])).toBeLessThanOrEqual(1);
            for (const label of new Set(list.map((one) => one.output))) {
              const share = list.filter((one) => one.output === label).length / list.length;
              const held = split[side].filter((one) => one.output === label).length;
              expect(Math.abs(held - share * targets[side])).toBeLessThanOrEqual(2);
            }
          }
        },
      ),
    );
  });

  test("comes out in proportion where all examples stand in groups of five", () => {
    const list = Array.from({ length: 300 }, (_, index) => make(index, { group: `g${Math.floor(index / 5)}` }));
    const { train, validation, test: held } = idsOf(splitExamples({ examples: list, output, seed: 3 }));
    expect([train.length, validation.length, held.length]).toEqual([140, 60, 100]);
  });

  test("never moves an old example when others are added or taken away", () => {
    fc.assert(
      fc.property(examples, fc.integer({ min: 10, max: 29 }), fc.nat(), fc.nat(), (list, count, seed, laterSeed) => {
        // Groups and copies among the first ones make sides that can be empty; that error is tested below.
        const old = list.slice(0, count).map(({ group: _group, ...one }, index) => ({ ...one, input: make(1000 + index).input }));
        const before = splitExamples({ examples: old, output, seed });
        const [, ...fewer] = old;
        const after = splitExamples({ examples: [...list.slice(count), ...fewer], output, seed: laterSeed, kept: keptOf(before) });
        const was = sideOf(before);
        for (const [id, side] of sideOf(after)) expect(was.get(id) ?? side).toBe(side);
        expect(after.leftOut).toEqual([]);
      }),
    );
  });

  test("adds new examples where they are wanting", () => {
    const old = Array.from({ length: 30 }, (_, index) => make(index));
    const before = splitExamples({ examples: old, output, seed: 0 });
    expect(idsOf(before).test).toHaveLength(15);
    const all = [...old, ...Array.from({ length: 370 }, (_, index) => make(100 + index))];
    const { train, validation, test: held } = idsOf(splitExamples({ examples: all, output, seed: 0, kept: keptOf(before) }));
    expect([train.length, validation.length, held.length]).toEqual([200, 80, 120]);
  });

  test("puts a new near duplicate, and a new member of a group, beside the old one", () => {
    const old = Array.from({ length: 30 }, (_, index) =>
      make(index, { input: `${make(index).input} ${make(index + 500).input}`, group: `g${index}` }),
    );
    const before = splitExamples({ examples: old, output, seed: 1 });
    const kept = { inputs: keptOf(before).inputs, groups: new Map([["g7", sideOf(before).get("e7") as Side]]) };
    const alike = make(900, { input: `${old[4]?.input} please` });
    const member = make(901, { group: "g7" });
    const after = sideOf(splitExamples({ examples: [...old, alike, member], output, seed: 1, kept }));
    expect([after.get("e900"), after.get("e901")]).toEqual([after.get("e4"), after.get("e7")]);
  });

  test("keeps an edited output on its side, for inputs are what is remembered", () => {
    const old = Array.from({ length: 30 }, (_, index) => make(index));
    const before = splitExamples({ examples: old, output, seed: 1 });
    const edited = old.map((one) => ({ ...one, output: "repair" }));
    const after = splitExamples({ examples: edited, output, seed: 1, kept: keptOf(before) });
    expect(sideOf(after)).toEqual(sideOf(before));
    expect(after.hash).not.toBe(before.hash);
  });

  test("keeps an abstention in proportion", () => {
    const list = Array.from({ length: 100 }, (_, index) => make(index, { output: index % 5 === 0 ? "unknown" : `answer ${index}` }));
    const { split } = splitExamples({ examples: list, output: { kind: "text" }, abstention: "unknown", seed: 0 });
    expect(sides.map((side) => split[side].filter((one) => one.output === "unknown").length)).toEqual([6, 4, 10]);
  });

  test("tells of duplicates, and of variants that are another example's input", () => {
    const list = Array.from({ length: 30 }, (_, index) => make(index));
    const twice = [
      ...list,
      make(40, { input: make(3).input }),
      make(41, { input: "something else", variants: ["also this", `${make(5).input.toUpperCase()}!`] }),
    ];
    const result = splitExamples({ examples: twice, output, seed: 0 });
    expect(result.notices).toEqual([
      "4 examples are duplicates or near duplicates of another (2 sets, the largest of 2: e3, e40): each set stands on one side of the split.",
    ]);
    expect(sideOf(result).get("e41")).toBe(sideOf(result).get("e5"));
  });
});

describe("a split that files give", () => {
  const list = Array.from({ length: 40 }, (_, index) => make(index));
  const given = (side: (index: number) => Side): Map<string, Side> => new Map(list.map(({ id }, index) => [id, side(index)]));

  test("is what they give", () => {
    const written = given((index) => (index < 20 ? "train" : index < 30 ? "validation" : "test"));
    expect(sideOf(splitExamples({ examples: list, output, seed: 0, given: written }))).toEqual(written);
  });

  test("draws validation from the training file where there is none, and keeps it", () => {
    const written = given((index) => (index < 30 ? "train" : "test"));
    const before = splitExamples({ examples: list, output, seed: 0, given: written });
    const { train, validation, test: held } = idsOf(before);
    expect([train.length, validation.length, held.toSorted()]).toEqual([24, 6, list.slice(30).map(({ id }) => id)]);
    const after = splitExamples({ examples: list, output, seed: 99, given: written, kept: keptOf(before) });
    expect(sideOf(after)).toEqual(sideOf(before));
  });

  test("leaves out training examples that stand in the test file too", () => {
    const copied = list.map((one, index) => (index === 2 ? { ...one, input: make(35).input } : one));
    for (const hasValidation of [true, false]) {
      const written = given((index) => (index < 20 ? "train" : index < 30 ? (hasValidation ? "validation" : "train") : "test"));
      const result = splitExamples({ examples: copied, output, seed: 0, given: written });
      expect(result.leftOut.map(({ id }) => id)).toEqual(["e2"]);
      expect(result.notices.at(-1)).toBe(
        "Left out: 1 example that, or a near duplicate of which, stands on another side of the split (e2).",
      );
      expect(result.split.test).toHaveLength(10);
    }
  });
});

test("three groups of very different sizes still make three sides", () => {
  const list = Array.from({ length: 30 }, (_, index) => make(index, { group: index < 27 ? "most" : index < 29 ? "two" : "one" }));
  const { train, validation, test: held } = idsOf(splitExamples({ examples: list, output, seed: 0 }));
  expect([train.length, validation.length, held.length].sort((a, b) => a - b)).toEqual([1, 2, 27]);
});

test("a side that would be empty is an error with its cause", () => {
  const one = Array.from({ length: 20 }, (_, index) => make(index, { group: "all" }));
  expect(() => splitExamples({ examples: one, output, seed: 0 })).toThrow(UserError);
  expect(() => splitExamples({ examples: one, output, seed: 0 })).toThrow(
    "The train side of the split is empty: there are 20 examples, in 1 group that may not be parted (near duplicates are a group). Add examples that are not alike.",
  );
});
