// One candidate over one set of examples, row by row. Answers are kept by content, so a run that was killed asks nothing twice.
import { answer } from "../answer/answer.ts";
import type { Resources } from "../answer/resources.ts";
import type { Candidate } from "../candidate.ts";
import type { Answer, Evaluation, Metric, Prediction, Row, RowError } from "../evaluation.ts";
import { messageOf, UserError } from "../errors.ts";
import { ContextOverflow, ModelUnavailable } from "../model.ts";
import type { Store } from "../store.ts";
import type { LabelledExample, OutputKind } from "../task.ts";
import { drain } from "../util/drain.ts";
import { contentKey, sha256 } from "../util/hash.ts";
import { answerKey } from "./answer-key.ts";

export interface EvaluateOptions {
  readonly candidate: Candidate;
  readonly examples: readonly LabelledExample[];
  readonly set: Evaluation["set"];
  readonly metrics: readonly Metric[];
  readonly output: OutputKind;
  readonly resources: Resources;
  /** Where answers are kept: `answers/<candidate key>.jsonl`. */
  readonly cache: Store;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

export interface RowEvent {
  readonly kind: "row";
  readonly row: Row;
  readonly done: number;
  readonly of: number;
}

type Outcome = { readonly answer: Answer } | { readonly error: RowError };
interface CachedLine {
  readonly example: string;
  readonly outcome: Outcome;
}

/** Yields a row as each is known; returns the evaluation, rows in the order of the examples. */
export async function* evaluate(options: EvaluateOptions): AsyncGenerator<RowEvent, Evaluation> {
  const { candidate, examples, set, metrics, output, cache, signal } = options;
  const file = `answers/${contentKey(await answerKey(options))}.jsonl`;
  const kept = new Map(((await cache.readLines(file)) as readonly CachedLine[]).map((line) => [line.example, line.outcome]));
  const rows: Row[] = [];
  for (const example of examples) {
    signal?.throwIfAborted();
    const key = sha256(example.input);
    const outcome = kept.get(key) ?? (await ask(options, example.input));
    if (!kept.has(key) && !isTransient(outcome)) await cache.append(file, { example: key, outcome } satisfies CachedLine);
    kept.set(key, outcome);
    rows.push(judge({ example, outcome, metrics, output }));
    yield { kind: "row", row: rows.at(-1)!, done: rows.length, of: examples.length };
  }
  return { candidate: candidate.id, set, rows };
}

/** The evaluation alone, for those who show no progress. */
export const evaluation = (options: EvaluateOptions): Promise<Evaluation> => drain(evaluate(options));

/** A server that was down may be up next time; everything else would happen again. */
const isTransient = (outcome: Outcome): boolean => "error" in outcome && outcome.error.fault === "nobody";

async function ask({ candidate, resources, seed, signal }: EvaluateOptions, input: string): Promise<Outcome> {
  try {
    return { answer: await answer({ candidate, input, resources, seed, ...(signal && { signal }) }) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    signal?.throwIfAborted();
    return { error: rowError(error) };
  }
}

function rowError(error: unknown): RowError {
  const message = messageOf(error);
  if (error instanceof ContextOverflow) return { fault: "candidate", kind: "context-overflow", message };
  if (error instanceof ModelUnavailable) return { fault: "nobody", kind: "unavailable", message };
  if (error instanceof Error && error.name === "TimeoutError") return { fault: "candidate", kind: "time-out", message };
  return { fault: "candidate", kind: "failed", message };
}

const nothing: Answer = { output: "", passages: [], prompt: "", tokens: { input: 0, output: 0 }, seconds: 0, finish: "stop" };

/** One row: the metrics of the answer, or the worst value of each where there is none. */
export function judge(options: { example: LabelledExample; outcome: Outcome; metrics: readonly Metric[]; output: OutputKind }): Row {
  const { example, outcome, metrics, output } = options;
  const given = "answer" in outcome ? outcome.answer : nothing;
  const error = "error" in outcome ? outcome.error : invalid(given.output, output);
  const prediction: Prediction = { example, output: given.output, passages: given.passages };
  const scores = metrics.map((metric) => {
    const statistics = error === undefined ? metric.statistics(prediction) : metric.worst(example);
    return [metric.name, { value: metric.value(statistics, 1), statistics }] as const;
  });
  const [first] = metrics;
  return {
    id: example.id,
    group: example.group ?? example.id,
    input: example.input,
    expected: example.output,
    output: given.output,
    passages: given.passages,
    prompt: given.prompt,
    tokens: given.tokens,
    seconds: given.seconds,
    ...(given.confidence === undefined ? {} : { confidence: given.confidence }),
    ...(error === undefined ? {} : { error }),
    scores: Object.fromEntries(scores),
    reason:
      error === undefined ? (first?.reason?.(prediction) ?? `${first?.name} ${scores[0]?.[1].value}`) : `${error.kind}: ${error.message}`,
  };
}

/** What came back but is no answer of the task's kind. */
function invalid(output: string, kind: OutputKind): RowError | undefined {
  if (output === "") return { fault: "candidate", kind: "empty", message: "The answer is empty." };
  if (kind.kind !== "schema") return undefined;
  try {
    JSON.parse(output);
    return undefined;
  } catch (error) {
    return { fault: "candidate", kind: "invalid-json", message: messageOf(error) };
  }
}
