// How often an answer stays the same when the same input is worded otherwise.
import type { Candidate } from "../candidate.ts";
import { consistencyOf } from "../metric/consistency.ts";
import type { LabelledExample } from "../task.ts";
import { evaluation, type EvaluateOptions } from "./evaluate.ts";

/** Inputs with their other wordings as examples of their own: `<id>~1`, `<id>~2`. */
export function variantsOf(examples: readonly LabelledExample[]): readonly LabelledExample[] {
  return examples.flatMap((example) =>
    (example.variants ?? []).map((input, index) => ({
      id: `${example.id}~${index + 1}`,
      input,
      output: example.output,
      group: example.group ?? example.id,
    })),
  );
}

/** Share of variants answered as the original was. Undefined where no example has variants. */
export async function measureConsistency(
  options: Omit<EvaluateOptions, "set" | "candidate"> & { readonly candidate: Candidate },
): Promise<number | undefined> {
  const examples = options.examples.filter((example) => (example.variants ?? []).length > 0);
  if (examples.length === 0) return undefined;
  const original = await evaluation({ ...options, examples, set: "test" });
  const varied = await evaluation({ ...options, examples: variantsOf(examples), set: "test" });
  const answerOf = new Map(original.rows.map((row) => [row.id, row.output]));
  const counted = varied.rows.filter((row) => row.error?.fault !== "nobody");
  return consistencyOf(counted.map((row) => ({ original: answerOf.get(row.id.replace(/~\d+$/u, "")) ?? "", variants: [row.output] })))
    .value;
}
