// Retrieve, then generate: one strategy a scorer. How many passages are shown is chosen on validation.
import type { Candidate, GenerateCandidate, RetrieverSettings, Scorer } from "../../candidate.ts";
import type { Passage } from "../../evaluation.ts";
import { ndcgOf } from "../../metric/retrieval.ts";
import { type ChosenWeight, chooseWeight } from "../../retriever/choose-weight.ts";
import { answering, nothingNeeded, sum } from "../needs.ts";
import { firstWithinOneError } from "../one-error.ts";
import type { Scored, Strategy, StrategyContext, StrategyData, StrategyEvent } from "../strategy.ts";

const chunk = { words: 80, overlap: 16 };
const defaultEmbedding = "all-minilm-l6-v2";
/** Passages embedded while the language model reads a token: a sixth of the weights, about 120 tokens a passage. */
const encoderSpeed = 0.05;
/** Passages shown, each tried on validation. */
const topKs = [1, 2, 4];

/** Where every RAG candidate starts from. */
export function retrieverSettings(scorer: Scorer, topK: number): RetrieverSettings {
  const dense = scorer === "dense" || scorer === "hybrid" || scorer === "convex";
  return {
    scorer,
    chunk,
    topK,
    budget: topK * (chunk.words + chunk.overlap),
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
      return sum([index, answering(shape, facts, machine, topKs.length * effort.validationExamples)]);
    },
    run: (start, data, context) => chooseTopK({ start, data, context, scorer }),
  };
}

async function* chooseTopK(options: {
  start: Candidate;
  data: StrategyData;
  context: StrategyContext;
  scorer: Scorer;
}): AsyncIterable<StrategyEvent> {
  const { start, data, context, scorer } = options;
  if (start.kind !== "generate") return;
  const examples = data.validation.slice(0, context.effort.validationExamples);
  const weighed = scorer === "convex" ? await weightsFor(data, context) : undefined;
  const tried: { topK: number; candidate: GenerateCandidate; scored: Scored }[] = [];
  for (const topK of topKs) {
    const chosen = weighed && { weight: weighed.weight, ...(weighed.neighbours > 0 && { neighbours: weighed.neighbours }) };
    const candidate = { ...start, retriever: { ...retrieverSettings(scorer, topK), ...chosen } };
    tried.push({ topK, candidate, scored: await context.validate(candidate, examples) });
    yield {
      kind: "progress",
      label: "passages",
      done: tried.length,
      of: topKs.length,
      detail: `${topK}: ${tried.at(-1)!.scored.score.toFixed(2)}`,
    };
  }
  const best = firstWithinOneError(tried, context.metric);
  const scores = Object.fromEntries(tried.map(({ topK, scored }) => [topK, Number(scored.score.toFixed(4))]));
  yield {
    kind: "candidate",
    result: {
      candidate: best.candidate,
      parameters: { scorer, topK: best.topK, tried: scores, ...(weighed && { weights: weighed.scores }) },
      labelledExamples: examples.length,
    },
  };
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
