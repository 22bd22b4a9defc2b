// Questions from documents, for tasks that have none: drafted from sentences, kept where searching finds their passage again, each said once.
import { nearDuplicates } from "../data/near-duplicates.ts";
import type { EmbeddingModel, LanguageModel } from "../model.ts";
import { buildRetriever, type Retriever } from "../retriever/search.ts";
import { chunkDocument } from "../retriever/chunk.ts";
import type { Store } from "../store.ts";
import type { Document, Evidence, LabelledExample } from "../task.ts";
import { seededRandom } from "../util/random.ts";
import { sentences } from "../util/sentences.ts";
import { askModel } from "./ask-model.ts";
import { type Draft, draftsOf, type Made } from "./draft.ts";

/** An example as it is written to a file: its group is its document, so that no document stands on two sides of a split. */
export type SyntheticExample = Pick<LabelledExample, "input" | "output"> & {
  readonly group: string;
  readonly evidence: readonly [Evidence];
  readonly synthetic: true;
};

export interface SyntheticQuestionsOptions {
  readonly documents: readonly Document[];
  /** Questions at most; a document of few sentences gives few. */
  readonly count: number;
  readonly seed?: number;
  /** Words the questions; without one they are worded by rules, for English sentences. */
  readonly model?: LanguageModel;
  /** With one, passages are searched by words and meaning, else by words alone (BM25). */
  readonly embedding?: EmbeddingModel;
  /** A question must find its passage among so many. Default: 3. */
  readonly topK?: number;
  /** Where the index of the search is kept. */
  readonly store: Store;
  readonly signal?: AbortSignal;
}

export interface SyntheticQuestions {
  /** By document, in their order there. */
  readonly examples: readonly SyntheticExample[];
  readonly made: { readonly [M in Made]: number };
  /** Drafts whose search did not find their passage, and those that nearly say what another says. */
  readonly dropped: { readonly notFound: number; readonly repeated: number };
}

export type SynthesisEvent =
  | { readonly kind: "passage"; readonly done: number; readonly of: number; readonly kept: number }
  | ({ readonly kind: "done" } & SyntheticQuestions);

const chunk = { words: 80, overlap: 0 };
/** Questions that say nearly the same beyond this, by their words' 3-grams. */
const ALIKE = 0.6;

interface Kept extends Draft {
  readonly document: Document;
}

/**
 * At most one question of each passage, from as many documents as there are: passages are taken in turns over the documents, in an order
 * that the seed decides. A question is kept when its passage is among the first `topK` that a search for it finds (round-trip
 * consistency: Alberti et al. 2019, "Synthetic QA corpora generation with roundtrip consistency", with retrieval in the place of reading).
 */
export async function* syntheticQuestions(options: SyntheticQuestionsOptions): AsyncGenerator<SynthesisEvent, void, void> {
  const { documents, count, seed = 0, embedding, store, signal } = options;
  await using retriever = await buildRetriever({
    settings: { scorer: embedding === undefined ? "bm25" : "convex", chunk },
    documents,
    store,
    embedding,
    signal,
  });
  const passages = inTurns(documents, seed);
  const kept: Kept[] = [];
  const dropped = { notFound: 0, repeated: 0 };
  const left = new Set(passages);
  // A gap is asked for only where no passage gives a question any more.
  for (const [done, { passage, gaps }] of [false, true].flatMap((gaps) => passages.map((passage) => ({ passage, gaps }))).entries()) {
    if (kept.length === count) break;
    signal?.throwIfAborted();
    if (!left.has(passage)) continue;
    for await (const draft of draftsIn(passage, gaps, options)) {
      if (repeats(draft, kept)) dropped.repeated++;
      else if (!(await finds(draft, passage.document, retriever, options))) dropped.notFound++;
      else {
        kept.push({ ...draft, document: passage.document });
        left.delete(passage);
        break;
      }
    }
    yield { kind: "passage", done: done + 1, of: 2 * passages.length, kept: kept.length };
  }
  const made = { model: 0, rule: 0, gap: 0 };
  for (const one of kept) made[one.made]++;
  yield { kind: "done", examples: inOrder(kept), made, dropped };
}

interface Part {
  readonly document: Document;
  readonly start: number;
  readonly text: string;
}

/** The first passage of each document, then the second of each, both in an order that the seed decides. */
function inTurns(documents: readonly Document[], seed: number): Part[] {
  const random = seededRandom(`synthetic ${seed}`);
  const parts = random
    .shuffle([...documents].sort((a, b) => (a.id < b.id ? -1 : 1)))
    .map((document) =>
      random
        .shuffle(chunkDocument(document, chunk))
        .map(({ start, end }): Part => ({ document, start, text: document.text.slice(start, end) })),
    );
  const most = Math.max(0, ...parts.map(({ length }) => length));
  return Array.from({ length: most }, (_, turn) => parts.flatMap((own) => own.slice(turn, turn + 1))).flat();
}

/** The drafts of a passage: in a model's words and by rule, or with gaps. */
async function* draftsIn(
  { document, start, text }: Part,
  gaps: boolean,
  { seed = 0, model, signal }: SyntheticQuestionsOptions,
): AsyncIterable<Draft> {
  const found = sentences(text).flatMap((sentence) => draftsOf(sentence, document.text));
  const drafts = seededRandom(`${seed} ${document.id} ${start}`)
    .shuffle(found)
    .map((draft) => ({ ...draft, start: start + draft.start, end: start + draft.end }));
  const ruled = drafts.filter(({ made }) => made === "rule");
  if (gaps) return yield* drafts.filter(({ made }) => made === "gap");
  const [first] = [...ruled, ...drafts];
  const asked = model && first && (await askModel(model, text, first, signal));
  if (asked) yield asked;
  yield* ruled;
}

const repeats = ({ question }: Draft, kept: readonly Kept[]): boolean =>
  nearDuplicates({ texts: [...kept.map((one) => one.question), question], threshold: ALIKE }).some(({ b }) => b === kept.length);

async function finds(
  { question, start, end }: Draft,
  { id }: Document,
  retriever: Retriever,
  { topK = 3, signal }: SyntheticQuestionsOptions,
): Promise<boolean> {
  const found = await retriever.search(question, { k: topK, signal });
  return found.some((passage) => passage.document === id && passage.start <= start && end <= passage.end);
}

function inOrder(kept: readonly Kept[]): SyntheticExample[] {
  return kept
    .toSorted((a, b) => (a.document.id === b.document.id ? a.start - b.start : a.document.id < b.document.id ? -1 : 1))
    .map(({ question, answer, document: { id }, start, end }) => ({
      input: question,
      output: answer,
      group: id,
      evidence: [{ document: id, start, end }],
      synthetic: true,
    }));
}
