// The split of a task as it is kept in split.json: a second run never reshuffles, an old example never moves.
import { z } from "zod";
import { UserError } from "../errors.ts";
import type { Store } from "../store.ts";
import type { LabelledExample, Task } from "../task.ts";
import { inputKey, sides, splitExamples } from "./split.ts";
import type { KeptSides, Side, SplitResult } from "./split.ts";

const key = "split.json";

const list = z.array(z.string());
const perSide = z.strictObject({ train: list, validation: list, test: list });
/** `inputs` are {@link inputKey}s; examples that are gone keep their side, should they come back. */
const fileSchema = z.strictObject({ version: z.literal(1), seed: z.number(), inputs: perSide, groups: perSide });
type KeptFile = z.infer<typeof fileSchema>;

export interface KeepSplitOptions {
  readonly task: Task;
  /** The task's own store, `.sartor/`. */
  readonly store: Store;
  readonly given?: ReadonlyMap<string, Side>;
}

/**
 * The task's split: what `split.json` says of old examples, new ones added to it. Writes the file when something is new, else leaves it
 * alone. Throws UserError when the file is broken, or when a side would be empty (and writes nothing then).
 */
export async function keepSplit({ task, store, given = new Map() }: KeepSplitOptions): Promise<SplitResult> {
  const before = parse(await store.readText(key));
  const { examples, output, abstention, seed } = task;
  const kept = before === undefined ? undefined : { inputs: sidesOf(before.inputs), groups: sidesOf(before.groups) };
  const result = splitExamples({
    examples,
    output,
    seed,
    given,
    ...(abstention === undefined ? {} : { abstention }),
    ...(kept === undefined ? {} : { kept }),
  });
  const after = `${JSON.stringify(merged(before, kept, result, seed), null, 1)}\n`;
  if (after !== (await store.readText(key))) await store.writeText(key, after);
  if (before === undefined || before.seed === seed) return result;
  return {
    ...result,
    notices: [
      ...result.notices,
      `The split was drawn with seed ${before.seed} and is kept; seed ${seed} decides all else. Delete .sartor/${key} to draw another.`,
    ],
  };
}

function parse(text: string | undefined): KeptFile | undefined {
  if (text === undefined) return undefined;
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new UserError(
      `.sartor/${key} is broken. Restore it, or delete it to draw a new split (earlier scores don't compare with the new ones then).`,
      { cause },
    );
  }
}

function sidesOf(lists: KeptFile["inputs"]): Map<string, Side> {
  return new Map(sides.flatMap((side) => lists[side].map((one) => [one, side] as const)));
}

function merged(before: KeptFile | undefined, kept: KeptSides | undefined, { split }: SplitResult, seed: number): KeptFile {
  const inputs = new Map(kept?.inputs);
  const groups = new Map(kept?.groups);
  for (const side of sides) for (const example of split[side]) remember(example, side, inputs, groups);
  return { version: 1, seed: before?.seed ?? seed, inputs: listsOf(inputs), groups: listsOf(groups) };
}

/** What is known already stays: examples that a given file puts elsewhere are given anew each time. */
function remember(example: LabelledExample, side: Side, inputs: Map<string, Side>, groups: Map<string, Side>): void {
  const input = inputKey(example);
  if (!inputs.has(input)) inputs.set(input, side);
  if (example.group !== undefined && !groups.has(example.group)) groups.set(example.group, side);
}

function listsOf(known: ReadonlyMap<string, Side>): KeptFile["inputs"] {
  const on = (side: Side): string[] =>
    [...known]
      .filter(([, one]) => one === side)
      .map(([name]) => name)
      .sort();
  return { train: on("train"), validation: on("validation"), test: on("test") };
}
