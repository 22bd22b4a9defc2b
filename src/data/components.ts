// Which examples belong together: explicit groups, joined with exact and near duplicates.
import type { LabelledExample } from "../task.ts";
import { groupBy } from "../util/group-by.ts";
import { unionFind } from "../util/union-find.ts";
import type { UnionFind } from "../util/union-find.ts";
import { nearDuplicates } from "./near-duplicates.ts";

/** Examples that must stand on one side. */
export interface Component {
  /** The smallest id in it. */
  readonly id: string;
  /** By id. */
  readonly examples: readonly LabelledExample[];
}

export interface Components {
  readonly components: readonly Component[];
  /** Sets of examples that are duplicates or near duplicates of each other, whatever their groups. */
  readonly duplicates: readonly Component[];
}

/** The sets in which examples belong together, by id. A variant of an input counts as an input. */
export function componentsOf(examples: readonly LabelledExample[]): Components {
  const worded = examples.flatMap(({ input, variants = [] }, index) => [input, ...variants].map((text) => ({ text, index })));
  const joined = unionFind(examples.length);
  const alike = unionFind(examples.length);
  for (const { a, b } of nearDuplicates({ texts: worded.map(({ text }) => text) })) {
    const [first, second] = [worded[a]?.index as number, worded[b]?.index as number];
    joined.union(first, second);
    alike.union(first, second);
  }
  const firstOf = new Map<string, number>();
  examples.forEach(({ group }, index) => {
    if (group !== undefined) joined.union(index, firstOf.get(group) ?? index);
    if (group !== undefined && !firstOf.has(group)) firstOf.set(group, index);
  });
  return { components: setsOf(examples, joined), duplicates: setsOf(examples, alike).filter((set) => set.examples.length > 1) };
}

function setsOf(examples: readonly LabelledExample[], joined: UnionFind): Component[] {
  const sets = groupBy(examples.keys(), (index) => joined.find(index));
  const byId = (x: { readonly id: string }, y: { readonly id: string }): number => (x.id < y.id ? -1 : 1);
  return [...sets.values()].map((members) => asComponent(members.map((index) => examples[index] as LabelledExample).sort(byId))).sort(byId);
}

function asComponent(examples: readonly LabelledExample[]): Component {
  return { id: examples[0]?.id ?? "", examples };
}
