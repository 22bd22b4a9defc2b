// Answers that people rated for faithfulness: 159 tasks of MTRAG (Katsis et al. 2025) by three writers, each rated 1 to 4 by three people.
import { readFile } from "node:fs/promises";

export interface Rated {
  /** Tasks of one conversation are not independent. */
  readonly conversation: string;
  readonly question: string;
  /** What was said before it. */
  readonly history: readonly string[];
  readonly passages: readonly { readonly title: string; readonly text: string }[];
  readonly answer: string;
  /** Of each person, by what was asked. */
  readonly ratings: { readonly [K in RatingName]: readonly number[] };
  /** Numbers that stand in the file; NaN where it has none. */
  readonly judges: { readonly [K in keyof typeof judgeNames]: number };
}

export type RatingName = "faithfulness" | "appropriateness" | "completeness";

export const judgeNames = {
  rl_f: "Ragas's faithfulness by a large model",
  rb_llm: "RAD-Bench by a large model",
  rb_agg: "harmonic mean of BERTScores and ROUGE-L",
  "Bert-KPrec": "BERTScore precision against the passages",
} as const;

interface File {
  readonly documents: readonly { readonly document_id: string; readonly title?: string; readonly text: string }[];
  readonly tasks: readonly {
    readonly task_id: string;
    readonly input: readonly { readonly text: string }[];
    readonly contexts: readonly { readonly document_id: string }[];
  }[];
  readonly evaluations: readonly {
    readonly task_id: string;
    readonly model_response: string;
    readonly annotations: { readonly [name: string]: { readonly [who: string]: { readonly value: string | number | null } } };
  }[];
}

export async function readRated(path: string): Promise<{ readonly rated: readonly Rated[]; readonly documents: readonly string[] }> {
  const { documents, tasks, evaluations } = JSON.parse(await readFile(path, "utf8")) as File;
  const taskOf = new Map(tasks.map((task) => [task.task_id, task]));
  const documentOf = new Map(documents.map((one) => [one.document_id, { title: one.title ?? "", text: one.text }]));
  const rated = evaluations.map(({ task_id: id, model_response: answer, annotations }): Rated => {
    const { input, contexts } = taskOf.get(id)!;
    const given = (name: string): number[] =>
      Object.values(annotations[name] ?? {}).map(({ value }) => (value === null ? Number.NaN : Number(value)));
    return {
      conversation: id.split("<::>")[0]!,
      question: input.at(-1)!.text,
      history: input.slice(0, -1).map(({ text }) => text),
      passages: contexts.flatMap(({ document_id: document }) => documentOf.get(document) ?? []),
      answer,
      ratings: { faithfulness: given("faithfulness"), appropriateness: given("appropriateness"), completeness: given("completeness") },
      judges: Object.fromEntries(Object.keys(judgeNames).map((name) => [name, given(name)[0] ?? Number.NaN])) as Rated["judges"],
    };
  });
  return { rated, documents: documents.map(({ text }) => text) };
}
