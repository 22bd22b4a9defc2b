import { expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { memoryStore } from "../store/memory.ts";
import type { Task } from "../task.ts";
import { keepSplit } from "./kept-split.ts";

const task = (count: number, more: Partial<Task> = {}): Task => ({
  name: "t",
  folder: "/nowhere",
  instruction: "Answer.",
  output: { kind: "text" },
  examples: Array.from({ length: count }, (_, index) => ({
    id: `e${index}`,
    input: `a${index} b${index} c${index}`,
    output: `answer ${index}`,
    ...(index < 4 ? { group: "four" } : {}),
  })),
  documents: [],
  metrics: ["exact-match"],
  models: [],
  strategies: "all",
  objective: "cost",
  tolerance: 0.05,
  constraints: {},
  usage: { requestsPerMonth: 1, updatesPerMonth: 1, months: 12 },
  seed: 0,
  ...more,
});

test("the first run writes the split, the second reads it, whatever its seed", async () => {
  const store = memoryStore();
  const first = await keepSplit({ task: task(40), store });
  const written = await store.readText("split.json");
  const second = await keepSplit({ task: task(40, { seed: 9 }), store });
  expect(await store.readText("split.json")).toBe(written);
  expect(second.hash).toBe(first.hash);
  const ids = (side: readonly { readonly id: string }[]): string[] => side.map(({ id }) => id).sort();
  expect(ids(second.split.test)).toEqual(ids(first.split.test));
  expect(second.notices.at(-1)).toBe(
    "The split was drawn with seed 0 and is kept; seed 9 decides all else. Delete .sartor/split.json to draw another.",
  );
});

test("what was kept is what is read: inputs by hash, groups by name, one a line", async () => {
  const store = memoryStore();
  const { split } = await keepSplit({ task: task(40), store });
  const kept = JSON.parse((await store.readText("split.json")) as string) as {
    inputs: { [side: string]: string[] };
    groups: { [side: string]: string[] };
  };
  expect(kept).toMatchObject({ version: 1, seed: 0 });
  expect(Object.entries(kept.inputs).map(([side, keys]) => [side, keys.length])).toEqual([
    ["train", split.train.length],
    ["validation", split.validation.length],
    ["test", split.test.length],
  ]);
  expect(Object.values(kept.groups).flat()).toEqual(["four"]);
});

test("examples that go and come back stand where they stood", async () => {
  const store = memoryStore();
  const all = task(60);
  const first = await keepSplit({ task: all, store });
  await keepSplit({ task: { ...all, examples: all.examples.slice(20) }, store });
  const third = await keepSplit({ task: all, store });
  expect(third.hash).toBe(first.hash);
});

test("a broken file is an error, not a new split", async () => {
  const store = memoryStore();
  await store.writeText("split.json", '{"version":1,');
  const message =
    ".sartor/split.json is broken. Restore it, or delete it to draw a new split (earlier scores don't compare with the new ones then).";
  await expect(keepSplit({ task: task(40), store })).rejects.toThrow(new UserError(message));
  expect(await store.readText("split.json")).toBe('{"version":1,');
});

test("a split that can't be made writes nothing", async () => {
  const store = memoryStore();
  const together = task(20);
  await expect(
    keepSplit({ task: { ...together, examples: together.examples.map((one) => ({ ...one, group: "g" })) }, store }),
  ).rejects.toThrow(UserError);
  expect(await store.list("")).toEqual([]);
});
