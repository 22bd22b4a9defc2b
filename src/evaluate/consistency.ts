// How often an answer stays the same when the same input is worded otherwise.
import type { Candidate } from "../candidate.ts";
import { consistencyOf } from "../metric/consistency.ts";
import type { LabelledExample } from "../task.ts";
import { evaluation, type EvaluateOptions } from "./evaluate.ts";
import { rewordingRules, rewordings } from "./rewordings.ts";

const hasVariants = (example: LabelledExample): boolean => (example.variants ?? []).length > 0;

/** In words: the variants that come with the examples where any has them, else the rules. */
export function wordingsUsed(examples: readonly LabelledExample[]): string {
  return examples.some(hasVariants) ? "other wordings given with the examples" : `rule-based rewordings: ${rewordingRules.join(", ")}`;
}

/** How many inputs can be worded otherwise, and in how many ways each, for estimates. */
export function wordingsOf(examples: readonly LabelledExample[]): { readonly inputs: number; readonly each: number } {
  const given = examples.filter(hasVariants);
  if (given.length === 0) return { inputs: examples.length, each: rewordingRules.length };
  return { inputs: given.length, each: given.reduce((sum, { variants }) => sum + variants!.length, 0) / given.length };
}

export interface Worded {
  readonly originals: readonly LabelledExample[];
  /** Their other wordings as examples of their own: `<id>~1`, `<id>~2`. */
  readonly reworded: readonly LabelledExample[];
}

/** The first `inputs` examples that can be worded otherwise, and how. */
export function wordedOtherwise(
  examples: readonly LabelledExample[],
  { inputs, seed }: { readonly inputs: number; readonly seed: number },
): Worded {
  const given = examples.filter(hasVariants);
  const originals = (given.length > 0 ? given : examples).slice(0, inputs);
  const wordings = (example: LabelledExample): readonly string[] =>
    given.length > 0 ? (example.variants ?? []) : rewordings(example.input, seed);
  const reworded = originals.flatMap((example) =>
    wordings(example).map((input, index) => ({
      id: `${example.id}~${index + 1}`,
      input,
      output: example.output,
      group: example.group ?? example.id,
    })),
  );
  return { originals, reworded };
}

/** Share of other wordings answered as the original was. Undefined where no input can be worded otherwise. */
export async function measureConsistency(
  options: Omit<EvaluateOptions, "set" | "candidate"> & { readonly candidate: Candidate; readonly inputs: number },
): Promise<number | undefined> {
  const { originals, reworded } = wordedOtherwise(options.examples, options);
  if (reworded.length === 0) return undefined;
  const original = await evaluation({ ...options, examples: originals, set: "test" });
  const varied = await evaluation({ ...options, examples: reworded, set: "test" });
  const answerOf = new Map(original.rows.map((row) => [row.id, row.output]));
  const counted = varied.rows.filter((row) => row.error?.fault !== "nobody");
  return consistencyOf(counted.map((row) => ({ original: answerOf.get(row.id.replace(/~\d+$/u, "")) ?? "", variants: [row.output] })))
    .value;
}
