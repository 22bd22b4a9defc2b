// How often an answer stays the same when the same input is worded otherwise.
import type { Candidate } from "../candidate.ts";
import { consistencyOf } from "../metric/consistency.ts";
import type { LabelledExample } from "../task.ts";
import { mean } from "../util/mean.ts";
import { evaluation, type EvaluateOptions } from "./evaluate.ts";
import { rewordingRules, rewordings } from "./rewordings.ts";

/** Where the other wordings come from: those given with the examples where any has them, else the rules. */
interface Source {
  readonly given: boolean;
  readonly examples: readonly LabelledExample[];
}

function sourceOf(examples: readonly LabelledExample[]): Source {
  const varied = examples.filter(({ variants = [] }) => variants.length > 0);
  return varied.length > 0 ? { given: true, examples: varied } : { given: false, examples };
}

/** The source in words. */
export function wordingsUsed(examples: readonly LabelledExample[]): string {
  return sourceOf(examples).given ? "other wordings given with the examples" : `rule-based rewordings: ${rewordingRules.join(", ")}`;
}

/** How many inputs can be worded otherwise, and in how many ways each, for estimates. */
export function wordingsOf(examples: readonly LabelledExample[]): { readonly inputs: number; readonly each: number } {
  const source = sourceOf(examples);
  const each = source.given ? mean(source.examples.map(({ variants }) => variants!.length)) : rewordingRules.length;
  return { inputs: source.examples.length, each };
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
  const source = sourceOf(examples);
  const originals = source.examples.slice(0, inputs);
  const reworded = originals.flatMap((example) =>
    (source.given ? example.variants! : rewordings(example.input, seed)).map((input, index) => ({
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
