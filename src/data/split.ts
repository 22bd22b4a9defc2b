// Examples -> train, validation and test. Pure: the same examples, seed and kept sides always give the same split, in whatever order
// the examples stand.
import { UserError } from "../errors.ts";
import type { LabelledExample, OutputKind, Split } from "../task.ts";
import { groupBy } from "../util/group-by.ts";
import { contentKey, sha256 } from "../util/hash.ts";
import { componentsOf } from "./components.ts";
import type { Component } from "./components.ts";
import { counted } from "./shown.ts";

export const sides = ["train", "validation", "test"] as const;
export type Side = (typeof sides)[number];

export type SideCounts = { readonly [S in Side]: number };

export interface SplitOptions {
  readonly examples: readonly LabelledExample[];
  readonly output: OutputKind;
  /** Outputs equal to it are kept in proportion too. */
  readonly abstention?: string;
  readonly seed: number;
  /** The side of an input (by {@link inputKey}) or of a group, from an earlier split. An old example never moves. */
  readonly kept?: KeptSides;
  /** The side of every example by id, where the task's files give them. Without validation, it is drawn from the training side. */
  readonly given?: ReadonlyMap<string, Side>;
}

export interface KeptSides {
  readonly inputs: ReadonlyMap<string, Side>;
  readonly groups: ReadonlyMap<string, Side>;
}

export interface SplitResult {
  readonly split: Split;
  /** Hash of which content stands on which side. */
  readonly hash: string;
  /** Sets of examples that stand together: explicit groups joined with near duplicates. An example alone is one. */
  readonly groups: number;
  /** The group of each example by id, for resampling: the smallest id in its set. */
  readonly groupOf: ReadonlyMap<string, string>;
  /** Examples that would have stood on two sides; they are in none. */
  readonly leftOut: readonly LabelledExample[];
  readonly notices: readonly string[];
}

/** What an example is known by in the kept split: its input, so that a corrected output stays on its side. */
export function inputKey(example: LabelledExample): string {
  return sha256(example.input.trim().replaceAll(/\s+/g, " ")).slice(0, 16);
}

/** How many examples each side should have: a fifth for validation; for the test the larger of 30 % and 100, at most half. */
export function targetCounts(count: number): SideCounts {
  const test = Math.min(Math.floor(count / 2), Math.max(Math.ceil(0.3 * count), 100));
  const validation = Math.min(Math.round(0.2 * count), count - test);
  return { train: count - test - validation, validation, test };
}

/**
 * The split: whole groups together (near duplicates count as a group), in proportion by label, old examples where they were, new ones
 * where they are wanting. Each side is in an order drawn from the seed that does not depend on the other examples. Throws UserError when
 * a side would be empty.
 */
export function splitExamples({ examples, output, abstention, seed, kept, given = new Map() }: SplitOptions): SplitResult {
  const { components, duplicates } = componentsOf(examples);
  const { placed, leftOut } = placeKnown(components, {
    given,
    kept,
    drawsValidation: given.size > 0 && ![...given.values()].includes("validation"),
  });
  const stratumOf = (example: LabelledExample): string =>
    output.kind === "labels" ? example.output : example.output === abstention ? "abstention" : "answer";
  const open = components.filter((component) => !placed.has(component));
  const ranked = open.map((component) => ({ component, rank: rankOf(component, seed) })).sort((x, y) => (x.rank < y.rank ? -1 : 1));
  // A test file is the whole test: what is drawn is drawn for the other two sides.
  const allowed = given.size > 0 ? sides.slice(0, 2) : sides;
  assign({ open: ranked.map(({ component }) => component), placed, stratumOf, targets: targetsFor(components, placed, given), allowed });
  const split = collect({ components, placed, leftOut, seed });
  for (const side of sides) if (split[side].length === 0) throw new UserError(emptySide(side, examples.length, components.length));
  return {
    split,
    hash: contentKey(
      Object.fromEntries(sides.map((side) => [side, split[side].map(({ input, output: answer }) => sha256(`${input}\0${answer}`)).sort()])),
    ),
    groups: components.length,
    groupOf: new Map(components.flatMap(({ id, examples: members }) => members.map((member) => [member.id, id] as const))),
    leftOut: [...leftOut],
    notices: noticesOf(duplicates, [...leftOut]),
  };
}

interface Known {
  readonly given: ReadonlyMap<string, Side>;
  readonly kept: KeptSides | undefined;
  /** Whether validation is drawn from the training file. */
  readonly drawsValidation: boolean;
}

/** Where sets of examples stand that hold an old or a given one, and the examples that can't stand there with them. */
function placeKnown(
  components: readonly Component[],
  known: Known,
): { readonly placed: Map<Component, Side>; readonly leftOut: ReadonlySet<LabelledExample> } {
  const placed = new Map<Component, Side>();
  const leftOut = new Set<LabelledExample>();
  for (const component of components) {
    const found = component.examples.map((example) => knownSide(example, known));
    // The test is the side that must not be seen from another, so it keeps what stands on several.
    const side = sides.findLast((one) => found.includes(one));
    if (side === undefined) continue;
    placed.set(component, side);
    component.examples.forEach((example, index) => mayStand(found[index], side) || leftOut.add(example));
  }
  return { placed, leftOut };
}

/** "not test": of the training file, while validation is drawn from it. Undefined: new, so anywhere. */
function knownSide(example: LabelledExample, { given, kept, drawsValidation }: Known): Side | "not test" | undefined {
  const written = given.get(example.id);
  const drawn = keptSide(example, kept);
  if (written === undefined) return drawn;
  if (written !== "train" || !drawsValidation) return written;
  return drawn === "train" || drawn === "validation" ? drawn : "not test";
}

function mayStand(known: Side | "not test" | undefined, side: Side): boolean {
  return known === undefined || known === side || (known === "not test" && side !== "test");
}

function keptSide(example: LabelledExample, kept: KeptSides | undefined): Side | undefined {
  return kept?.inputs.get(inputKey(example)) ?? (example.group === undefined ? undefined : kept?.groups.get(example.group));
}

/** Random under the seed, and the same whatever other examples there are. */
function rankOf(component: Component, seed: number): string {
  return sha256(`${seed}:${component.examples.map(inputKey).sort()[0] ?? ""}`);
}

/** Where files give the test, the rest is shared between the other two. */
function targetsFor(components: readonly Component[], placed: ReadonlyMap<Component, Side>, given: ReadonlyMap<string, Side>): SideCounts {
  const all = components.reduce((sum, { examples }) => sum + examples.length, 0);
  if (given.size === 0) return targetCounts(all);
  const test = components.reduce((sum, component) => sum + (placed.get(component) === "test" ? component.examples.length : 0), 0);
  const validation = Math.max(1, Math.round(0.2 * (all - test)));
  return { train: all - test - validation, validation, test };
}

interface Assignment {
  /** Components without a side, in random order. */
  readonly open: readonly Component[];
  /** Is added to. */
  readonly placed: Map<Component, Side>;
  readonly stratumOf: (example: LabelledExample) => string;
  readonly targets: SideCounts;
  /** The sides that the open ones may go to. */
  readonly allowed: readonly Side[];
}

type Counts = { [S in Side]: number };

/** Large groups first, each where it disturbs the proportions least; then the single examples of each stratum, which even them out. */
function assign(assignment: Assignment): void {
  const { open, placed, stratumOf, targets } = assignment;
  const everyone = [...placed.keys(), ...open].flatMap(({ examples }) => examples);
  const strata = groupBy(everyone, stratumOf);
  const missing = new Map<string, Counts>(
    [...strata].map(([name, { length }]) => [name, mapSides((side) => (targets[side] * length) / everyone.length)]),
  );
  const missingIn = (stratum: string): Counts => missing.get(stratum) as Counts;
  const place = (component: Component, side: Side): void => {
    placed.set(component, side);
    for (const example of component.examples) missingIn(stratumOf(example))[side]--;
  };
  for (const [component, side] of placed) place(component, side);
  const groups = open.filter(({ examples }) => examples.length > 1).sort((x, y) => y.examples.length - x.examples.length);
  for (const group of groups) place(group, leastDisturbed(group, missing, assignment));
  const singles = groupBy(
    open.filter(({ examples }) => examples.length === 1),
    ({ examples: [only] }) => stratumOf(only as LabelledExample),
  );
  placeSingles({ strata: singles, missingIn, allowed: assignment.allowed, place });
  fillEmpty(assignment);
}

function mapSides(value: (side: Side) => number): Counts {
  return { train: value("train"), validation: value("validation"), test: value("test") };
}

/** The side where the squared shortfalls, relative to the side's size, sink most: over all, and in each stratum the group holds. */
function leastDisturbed(group: Component, missing: ReadonlyMap<string, Counts>, { stratumOf, targets, allowed }: Assignment): Side {
  const held = groupBy(group.examples, stratumOf);
  const cost = (side: Side): number => {
    const change = (short: number, added: number): number => ((short - added) ** 2 - short ** 2) / Math.max(1, targets[side]);
    const short = [...missing.values()].reduce((sum, counts) => sum + counts[side], 0);
    return [...held].reduce(
      (sum, [name, { length }]) => sum + change(missing.get(name)?.[side] ?? 0, length),
      change(short, group.examples.length),
    );
  };
  return allowed.reduce((best, side) => (cost(side) < cost(best) ? side : best));
}

interface Singles {
  readonly strata: ReadonlyMap<string, readonly Component[]>;
  readonly missingIn: (stratum: string) => Counts;
  readonly allowed: readonly Side[];
  readonly place: (component: Component, side: Side) => void;
}

/**
 * Systematic sampling: each example adds to every side what that side is owed by it, and goes to the side that is owed most. What is
 * left over is carried to the next stratum, so the sides come out right over all, and each stratum to within an example or two.
 */
function placeSingles({ strata, missingIn, allowed, place }: Singles): void {
  const owed: Counts = { train: 0, validation: 0, test: 0 };
  for (const name of [...strata.keys()].sort()) {
    const short = mapSides((side) => Math.max(0, missingIn(name)[side]));
    const total = allowed.reduce((sum, side) => sum + short[side], 0);
    for (const single of strata.get(name) ?? []) {
      for (const side of allowed) owed[side] += total === 0 ? 1 / allowed.length : short[side] / total;
      const side = allowed.reduce((most, one) => (owed[one] > owed[most] + 1e-9 ? one : most));
      owed[side]--;
      place(single, side);
    }
  }
}

/** A few large groups can leave a side empty that another could spare one for: it gets the smallest of the new ones. */
function fillEmpty({ open, placed, allowed }: Assignment): void {
  for (const side of allowed) {
    const on = groupBy(placed.keys(), (component) => placed.get(component) as Side);
    if (on.has(side)) continue;
    const spare = open.filter((component) => (on.get(placed.get(component) as Side)?.length ?? 0) > 1);
    const smallest = spare.reduce<Component | undefined>(
      (least, one) => (one.examples.length < (least?.examples.length ?? Infinity) ? one : least),
      undefined,
    );
    if (smallest !== undefined) placed.set(smallest, side);
  }
}

function collect(parts: {
  readonly components: readonly Component[];
  readonly placed: ReadonlyMap<Component, Side>;
  readonly leftOut: ReadonlySet<LabelledExample>;
  readonly seed: number;
}): Split {
  const { components, placed, leftOut, seed } = parts;
  const of = (side: Side): LabelledExample[] =>
    components
      .filter((component) => placed.get(component) === side)
      .flatMap(({ examples }) => examples.filter((example) => !leftOut.has(example)))
      .map((example) => ({ example, rank: sha256(`${seed}:${inputKey(example)}:${example.id}`) }))
      .sort((x, y) => (x.rank < y.rank ? -1 : 1))
      .map(({ example }) => example);
  return { train: of("train"), validation: of("validation"), test: of("test") };
}

function emptySide(side: Side, examples: number, groups: number): string {
  const cause = groups === examples ? "" : `, in ${counted(groups, "group")} that may not be parted (near duplicates are a group)`;
  return `The ${side} side of the split is empty: there are ${examples} examples${cause}. Add examples that are not alike.`;
}

function noticesOf(duplicates: readonly Component[], leftOut: readonly LabelledExample[]): string[] {
  const notices: string[] = [];
  const largest = duplicates.reduce<Component | undefined>(
    (most, one) => (one.examples.length > (most?.examples.length ?? 0) ? one : most),
    undefined,
  );
  if (largest !== undefined) {
    const count = duplicates.reduce((sum, { examples }) => sum + examples.length, 0);
    const ids = largest.examples
      .slice(0, 3)
      .map(({ id }) => id)
      .join(", ");
    const sets = duplicates.length === 1 ? "one set" : `${duplicates.length} sets, the largest`;
    notices.push(
      `${count} examples are duplicates or near duplicates of another (${sets} of ${largest.examples.length}: ${ids}${largest.examples.length > 3 ? ", …" : ""}): each set stands on one side of the split.`,
    );
  }
  if (leftOut.length > 0) {
    const ids = leftOut
      .slice(0, 3)
      .map(({ id }) => id)
      .join(", ");
    notices.push(
      `Left out: ${counted(leftOut.length, "example")} that, or a near duplicate of which, stands on another side of the split (${ids}${leftOut.length > 3 ? ", …" : ""}).`,
    );
  }
  return notices;
}
