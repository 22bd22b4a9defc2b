import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../util/random.ts";
import { labelLogProbabilities, labelTrie, logSumExp, type Predict } from "./label-trie.ts";

const end = 9;

/** A model over ten tokens whose distribution depends on all that stands before. */
function model(seed: number): { predict: Predict; asked: string[] } {
  const asked: string[] = [];
  const predict: Predict = async (path, next) => {
    asked.push(path.join(" "));
    const all = distribution(seed, path);
    return new Map(next.map((token) => [token, all[token] ?? -Infinity]));
  };
  return { predict, asked };
}

function distribution(seed: number, path: readonly number[]): number[] {
  const random = seededRandom(`${seed} ${path.join(" ")}`);
  const logits = Array.from({ length: 10 }, () => random.normal());
  const total = logSumExp(logits);
  return logits.map((logit) => logit - total);
}

const someLabels = fc
  .uniqueArray(fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6, selector: (tokens) => tokens.join(" ") })
  .map((all) => all.map((tokens) => ({ label: tokens.join(" "), tokens: [...tokens, end] })));

test("probabilities sum to 1 and are products over the nodes where labels part", async () => {
  await fc.assert(
    fc.asyncProperty(someLabels, fc.nat(100), async (labels, seed) => {
      const found = await labelLogProbabilities(labelTrie(labels), model(seed).predict);
      expect([...found.keys()].toSorted()).toEqual(labels.map(({ label }) => label).toSorted());
      expect(logSumExp([...found.values()])).toBeCloseTo(0, 9);
      for (const { label, tokens } of labels) {
        let expected = 0;
        for (const [at, token] of tokens.entries()) {
          const rivals = labels
            .filter((one) => one.tokens.slice(0, at).join() === tokens.slice(0, at).join())
            .map((one) => one.tokens[at] ?? 0);
          const all = distribution(seed, tokens.slice(0, at));
          expected += (all[token] ?? 0) - logSumExp([...new Set(rivals)].map((rival) => all[rival] ?? 0));
        }
        expect(found.get(label)).toBeCloseTo(expected, 9);
      }
    }),
  );
});

test("a node is asked once, and only where labels part", async () => {
  const { predict, asked } = model(1);
  const labels = ["1 2 3", "1 2 4 5", "1 2", "6 7 8"].map((label) => ({ label, tokens: [...label.split(" ").map(Number), end] }));
  await labelLogProbabilities(labelTrie(labels), predict);
  expect(asked).toEqual(["", "1 2"]);
});

test("one label is certain, and nothing is asked", async () => {
  const { predict, asked } = model(1);
  expect(await labelLogProbabilities(labelTrie([{ label: "a", tokens: [1, 2, end] }]), predict)).toEqual(new Map([["a", 0]]));
  expect(asked).toEqual([]);
});

test("a branch that is as good as impossible is not looked into", async () => {
  const labels = ["1", "2 3", "2 4"].map((label) => ({ label, tokens: [...label.split(" ").map(Number), end] }));
  const asked: number[][] = [];
  const found = await labelLogProbabilities(labelTrie(labels), async (path, next) => {
    asked.push([...path]);
    return new Map(next.map((token) => [token, token === 1 ? 0 : -30]));
  });
  expect(asked).toEqual([[]]);
  expect(found.get("2 3")).toBeCloseTo(-30 - Math.log(2), 9);
});
