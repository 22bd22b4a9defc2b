// Retrieve, then generate: one strategy a scorer. How many passages are shown, and in which order, is chosen on validation.
import type { Candidate, GenerateCandidate, RetrieverSettings, Scorer } from "../../candidate.ts";
import type { Passage } from "../../evaluation.ts";
import { ndcgOf } from "../../metric/retrieval.ts";
import { type ChosenWeight, chooseWeight } from "../../retriever/choose-weight.ts";
import { answering, nothingNeeded, sum } from "../needs.ts";
import { firstWithinOneError } from "../one-error.ts";
import type { Scored, StepResult, Strategy, StrategyContext, StrategyData, StrategyEvent } from "../strategy.ts";

const chunk = { words: 80, overlap: 16 };
const defaultEmbedding = "all-minilm-l6-v2";
/** Passages embedded while the language model reads a token: a sixth of the weights, about 120 tokens a passage. */
const encoderSpeed = 0.05;
/** Passages shown, each tried on validation. */
const topKs = [1, 2, 4];
/** Tokens that no word takes on average: what is retrieved is shown whole unless the model's context is too short. */
const tokensAWord = 2.5;

/** Where every RAG candidate starts from. */
export function retrieverSettings(scorer: Scorer, topK: number): RetrieverSettings {
  const dense = scorer === "dense" || scorer === "hybrid" || scorer === "convex";
  return {
    scorer,
    chunk,
    topK,
    budget: topK * (chunk.words + chunk.overlap) * tokensAWord,
    order: "best-first",
    ...(dense ? { embedding: defaultEmbedding } : {}),
  };
}

const summaries: { readonly [S in Scorer]: string } = {
  "tf-idf": "Passages by TF-IDF cosine, then generate.",
  bm25: "Passages by BM25, then generate.",
  dense: "Passages by embedding similarity, then generate.",
  hybrid: "Passages by BM25 and embeddings fused by rank (RRF), then generate.",
  convex: "Passages by BM25 and embeddings, scores added, then generate.",
};

export function ragStrategy(scorer: Scorer): Strategy {
  const dense = retrieverSettings(scorer, 1).embedding !== undefined;
  return {
    name: `rag-${scorer}`,
    summary: summaries[scorer],
    shape: (start) => ({ ...start, retrieves: true, embeds: dense, passageWords: 1.5 * chunk.words }),
    estimate: ({ start, facts, machine, effort }) => {
      if (start.kind !== "generate") return { cannot: "Only a language model can be given passages." };
      if (facts.documents === 0) return { cannot: "The task has no documents to retrieve from." };
      const shape = { ...start, retrieves: true, passageWords: 2.3 * chunk.words };
      const passages = facts.documentTokens / 1.4 / (chunk.words - chunk.overlap);
      const index = {
        ...nothingNeeded,
        seconds: dense ? passages / (machine.speeds.readTokensPerSecond * encoderSpeed) : passages / 20_000,
        diskBytes: passages * 2000,
      };
      return sum([index, answering(shape, facts, machine, (topKs.length + 1) * effort.validationExamples)]);
    },
    run: (start, data, context) => choose({ start, data, context, scorer }),
  };
}

async function* choose(options: {
  start: Candidate;
  data: StrategyData;
  context: StrategyContext;
  scorer: Scorer;
}): AsyncIterable<StrategyEvent> {
  const { start, data, context, scorer } = options;
  if (start.kind !== "generate") return;
  const examples = data.validation.slice(0, context.effort.validationExamples);
  const weighed = scorer === "convex" ? await weightsFor(data, context) : undefined;
  const chosen = weighed && { weight: weighed.weight, ...(weighed.neighbours > 0 && { neighbours: weighed.neighbours }) };
  const tried: Tried[] = [];
  const attempt = async (name: string, retriever: RetrieverSettings): Promise<Tried> => {
    const candidate = { ...start, retriever };
    tried.push({ name, candidate, scored: await context.validate(candidate, examples) });
    return tried.at(-1)!;
  };
  for (const topK of topKs) yield progress(tried, await attempt(String(topK), { ...retrieverSettings(scorer, topK), ...chosen }));
  let best = firstWithinOneError(tried, context.metric);
  const { retriever } = best.candidate;
  if (retriever.topK > 1) {
    const last = await attempt(`${retriever.topK} best last`, { ...retriever, order: "best-last" });
    yield progress(tried, last);
    best = firstWithinOneError([best, last], context.metric);
  }
  // Documents of a knowledge graph: what the question asks for may stand a tie away from what it names.
  if (data.documents.some(({ neighbours = [] }) => neighbours.length > 0)) {
    const tied = await attempt(`${best.name} with ties`, { ...best.candidate.retriever, hops: 1 });
    yield progress(tried, tied);
    best = firstWithinOneError([best, tied], context.metric);
  }
  const parameters = parametersOf(best, tried, weighed);
  yield { kind: "candidate", result: { candidate: best.candidate, parameters, labelledExamples: examples.length } };
}

function parametersOf(
  { candidate: { retriever } }: Tried,
  tried: readonly Tried[],
  weighed: Weights | undefined,
): StepResult["parameters"] {
  const { scorer, topK, order, neighbours, hops } = retriever;
  return {
    scorer,
    topK,
    order,
    ...(neighbours !== undefined && { neighbours }),
    ...(hops !== undefined && { hops }),
    tried: Object.fromEntries(tried.map(({ name, scored }) => [name, Number(scored.score.toFixed(4))])),
    ...(weighed && { weights: weighed.scores }),
  };
}

interface Tried {
  readonly name: string;
  readonly candidate: GenerateCandidate & { readonly retriever: RetrieverSettings };
  readonly scored: Scored;
}

function progress(tried: readonly Tried[], { name, scored }: Tried): StrategyEvent {
  const of = Math.max(topKs.length, tried.length);
  return { kind: "progress", label: "passages", done: tried.length, of, detail: `${name}: ${scored.score.toFixed(2)}` };
}

/** Examples below which equal weights are kept: fewer tell too little. */
const enoughExamples = 20;
const rankedPassages = 10;

/** Shares of a passage's score that its neighbours' may have. */
const neighbourShares = [0, 0.3, 0.5];

interface Weights extends Required<Pick<RetrieverSettings, "weight" | "neighbours">> {
  readonly scores: { readonly weight: ChosenWeight["scores"]; readonly neighbours: ChosenWeight["scores"] };
}

/** The weights under which the gold passages of examples that name them rank highest (nDCG@10); none where too few name any. */
async function weightsFor({ train, validation }: StrategyData, { resources, signal }: StrategyContext): Promise<Weights | undefined> {
  const known = [...validation, ...train].filter(({ evidence = [] }) => evidence.length > 0).slice(0, 10 * enoughExamples);
  if (known.length < enoughExamples) return undefined;
  const retriever = await resources.retriever(retrieverSettings("convex", 1));
  const queries = known.map(({ input, evidence = [] }) => ({ text: input, score: (found: readonly Passage[]) => ndcgOf(evidence, found) }));
  const fused = await chooseWeight({ queries, search: (query, weight) => retriever.search(query, { k: rankedPassages, weight }), signal });
  const shared = await chooseWeight({
    queries,
    search: (query, neighbours) => retriever.search(query, { k: rankedPassages, weight: fused.weight, neighbours }),
    weights: neighbourShares,
    signal,
  });
  return { weight: fused.weight, neighbours: shared.weight, scores: { weight: fused.scores, neighbours: shared.scores } };
}
