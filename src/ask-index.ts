// Questions to an index folder: answers in sentences, each with the passages that support it. By the path of all candidates.
import { answer } from "./answer/answer.ts";
import { cite, type CitedAnswer } from "./answer/cite.ts";
import { embedder } from "./answer/embedder.ts";
import { judgeSupport } from "./answer/judge-support.ts";
import { type Environment, openResources } from "./answer/open.ts";
import { retrievalConfidence } from "./answer/retrieve.ts";
import type { AnswerResources } from "./answer/resources.ts";
import type { Abstention, Candidate, CandidateModel, RetrieverSettings } from "./candidate.ts";
import { candidateModel } from "./compare/facts.ts";
import type { Passage } from "./evaluation.ts";
import type { ModelReference, TokenCount } from "./model.ts";
import { type IndexSearchOptions, openIndex, type OpenIndex } from "./retriever/open-index.ts";
import type { SearchIndexOptions } from "./search-index.ts";
import { fileSystemStore } from "./store/file-system.ts";
import { emptyManifest } from "./strategy/base.ts";
import { transcript, type Turn } from "./util/transcript.ts";

export interface OpenAskingOptions {
  readonly index: string;
  /** What writes answers, condenses follow-ups, rewrites queries and judges. Default: smollm2-135m-instruct. */
  readonly model?: ModelReference;
  readonly environment: Environment;
  readonly signal?: AbortSignal;
}

export interface AskIndexOptions extends Omit<SearchIndexOptions, "k" | "onePerDocument" | "exclude"> {
  /** Turns before the question, oldest first. */
  readonly history?: readonly Turn[];
  /** Who writes: the passages' own sentences are quoted, or the language model answers. Default: quotes. */
  readonly by?: "quotes" | "model";
  /** Passages that are read. Default: 5. */
  readonly passages?: number;
  /** Tokens of passages in the prompt, by the model's own tokeniser; words where sentences are quoted. Default: 1200. */
  readonly budget?: number;
  /** Where the best passage stands in the prompt. Default: first. */
  readonly order?: RetrieverSettings["order"];
  /** Only the passages' sentences that match the question, at most so many tokens of them. */
  readonly compress?: number;
  /** The language model judges citations, where words, numbers and names alone do not refute them. */
  readonly judge?: boolean;
  /**
   * Says that the documents do not say where the confidence of what was found is below this, from 0 (never) to 1. Default: .5 where the
   * index has embeddings, else .45.
   */
  readonly abstainBelow?: number;
  readonly onText?: (piece: string) => void;
}

/** A passage as an answer cites it: the `number` stands in brackets. */
export interface CitedSource extends Passage {
  readonly number: number;
  readonly cited: boolean;
}

export interface IndexAnswer extends CitedAnswer {
  readonly question: string;
  /** What was searched for. */
  readonly query: string;
  readonly abstained: boolean;
  /** How well the best sentence of the passages answers, 0 to 1. */
  readonly confidence: number;
  readonly sources: readonly CitedSource[];
  readonly tokens: TokenCount;
  readonly seconds: number;
}

/** What {@link openAsking} opens. Dispose it: it holds files, and the models once they were needed. */
export interface Asking extends Pick<OpenIndex, "stats">, AsyncDisposable {
  ask(question: string, options?: AskIndexOptions): Promise<IndexAnswer>;
}

/** What is said where the documents do not say. */
export const ABSTENTION = "The documents do not say.";

/**
 * The confidence below which nothing is answered. Chosen on the training and validation questions of the demo task: 7 of 100 answers are
 * given up, most of them wrong, for a quarter of what can't be answered.
 */
const SURE = { embedded: 0.5, words: 0.45 };

const instruction = `Answer the question from the passages in one or two short sentences. Cite the passage of each sentence by its number, as in [1]. If the passages do not say, answer: ${ABSTENTION}`;

/** @throws {UserError} where the folder holds no index. */
export async function openAsking({ index, model = "smollm2-135m-instruct", environment, signal }: OpenAskingOptions): Promise<Asking> {
  const resources = openResources({ documents: [], store: fileSystemStore(index), environment, ...(signal && { signal }) });
  const opened = await openIndex({ folder: index, openEmbedding: (name) => resources.embedding(name) });
  return {
    get stats() {
      return opened.stats;
    },
    ask: (question, options = {}) => ask({ question, options, opened, resources, model: candidateModel(model) }),
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await resources[Symbol.asyncDispose]();
    },
  };
}

interface AskParts {
  readonly question: string;
  readonly options: AskIndexOptions;
  readonly opened: OpenIndex;
  readonly resources: AnswerResources;
  readonly model: CandidateModel;
}

async function ask({ question, options, opened, resources, model }: AskParts): Promise<IndexAnswer> {
  const { history = [], judge = false, signal, onText } = options;
  const given = await answer({
    candidate: candidateOf(options, opened, model),
    input: transcript([...history, { role: "user", content: question }]),
    resources: { ...resources, retriever: async () => searching(opened, options) },
    ...(signal && { signal }),
    ...(onText && { onText }),
  });
  const { embedding } = opened.stats.settings;
  const { query = question } = given;
  const cited: CitedAnswer =
    given.abstained === true
      ? { output: given.output, sentences: [{ text: given.output, citations: [] }], citations: { given: 0, dropped: 0 } }
      : await cite({
          output: given.output,
          passages: given.passages,
          ...(embedding && { embed: await embedder(embedding.name, resources) }),
          ...(judge && { judge: judgeSupport(await resources.model(model)) }),
          ...(signal && { signal }),
        });
  const numbers = new Set(cited.sentences.flatMap(({ citations }) => citations));
  return {
    question,
    query,
    ...cited,
    abstained: given.abstained === true,
    confidence: await retrievalConfidence({ question: query, passages: given.passages, embedding: embedding?.name, resources, signal }),
    sources: given.passages.map((passage, at) => ({ ...passage, number: at + 1, cited: numbers.has(at + 1) })),
    tokens: given.tokens,
    seconds: given.seconds,
  };
}

/** The index as a retriever, under the options that a candidate's settings have no words for. */
function searching(opened: OpenIndex, { method, where, unit, descend, mmr, hops, bm25 }: AskIndexOptions): Pick<OpenIndex, "search"> {
  const fixed: IndexSearchOptions = {
    ...(method && { method }),
    ...(where && { where }),
    ...(unit && { unit }),
    ...(descend && { descend }),
    ...(mmr !== undefined && { mmr }),
    ...(hops !== undefined && { hops }),
    ...(bm25 && { bm25 }),
  };
  return { search: (query, options) => opened.search(query, { ...options, ...fixed }) };
}

/** The candidate that answers: what a comparison would build of the same parts. */
function candidateOf(options: AskIndexOptions, { stats }: OpenIndex, model: CandidateModel): Candidate {
  const { by = "quotes", abstainBelow = stats.settings.embedding === undefined ? SURE.words : SURE.embedded } = options;
  const base = { id: "ask", manifest: emptyManifest(0) };
  const retriever = settingsOf(options, stats.settings);
  const abstention: Abstention = { text: ABSTENTION, threshold: abstainBelow };
  if (by === "quotes")
    return {
      ...base,
      kind: "classify",
      classifier: { kind: "extract", retriever, sentences: 2, model, abstention },
    };
  return {
    ...base,
    kind: "generate",
    model,
    retriever,
    abstention,
    prompt: {
      format: "chat",
      instruction,
      demonstrations: { kind: "none" },
      listLabels: false,
      inputPrefix: "Question: ",
      outputPrefix: "Answer:",
    },
    decoding: { constraint: { kind: "free" }, maxTokens: 160, temperature: 0, stop: [] },
  };
}

function settingsOf(options: AskIndexOptions, { chunk, embedding }: OpenIndex["stats"]["settings"]): RetrieverSettings {
  const { passages = 5, budget = 1200, order = "best-first", compress, weight, feedback, rewrite, rerank, crossEncoder } = options;
  return {
    scorer: options.method ?? (embedding === undefined ? "bm25" : "convex"),
    chunk,
    ...(embedding && { embedding: embedding.name }),
    topK: passages,
    budget,
    order,
    ...(compress !== undefined && { compress: { tokens: compress } }),
    ...(weight !== undefined && { weight }),
    ...(feedback && { feedback }),
    ...(rewrite && { rewrite }),
    ...(rerank !== undefined && { rerank }),
    ...(crossEncoder !== undefined && { crossEncoder }),
  };
}
