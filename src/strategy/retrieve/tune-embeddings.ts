// Tunes the embeddings of a candidate that retrieves by them: a linear map of the query's, learnt from training examples and their
// gold passages. The index stays as it is.
import type { Candidate, RetrieverSettings } from "../../candidate.ts";
import { embeddingCache } from "../../retriever/embedding-cache.ts";
import { type IndexedPassage, textOf } from "../../retriever/passages.ts";
import { writeQueryMap } from "../../retriever/query-map.ts";
import { tuneQueryMap, type TunedQueryMap, type TuningQuery } from "../../train/tune-query-map.ts";
import type { LabelledExample } from "../../task.ts";
import { nothingNeeded } from "../needs.ts";
import type { Strategy, StrategyContext, StrategyData, StrategyEvent } from "../strategy.ts";

/** Training examples with gold passages below which nothing is learnt: fewer tell too little. */
const enoughExamples = 20;
/** Passages that BM25 ranks first without being gold: the hard negatives. */
const hardNegatives = 30;
/** Seconds that an example takes in all epochs, and those of making sessions. */
const seconds = { example: 0.02, start: 5 };

export const tuneEmbeddings: Strategy = {
  name: "tune-embeddings",
  summary: "Learns a linear map of query embeddings from training questions and their gold passages.",
  shape: (start) => start,
  estimate: ({ start, facts }) => {
    if (!start.embeds)
      return { cannot: "Nothing is retrieved by embeddings: put such a step before it, as in rag-convex > tune-embeddings." };
    if (facts.train < enoughExamples) return { cannot: `It needs ${enoughExamples} training examples, and there are ${facts.train}.` };
    return { ...nothingNeeded, seconds: seconds.start + seconds.example * facts.train, memoryBytes: 200e6, diskBytes: 1e6 };
  },
  run,
};

async function* run(start: Candidate, data: StrategyData, context: StrategyContext): AsyncIterable<StrategyEvent> {
  if (start.kind !== "generate" || start.retriever?.embedding === undefined) return;
  const settings = { ...start.retriever, embedding: start.retriever.embedding };
  const tuning = await examplesFor(settings, data, context);
  const told = { trainedOn: tuning.train.length, validatedOn: tuning.validation.length, guessed: tuning.guessed };
  if (tuning.train.length < enoughExamples || tuning.validation.length === 0) {
    const note = `Gold passages are known for ${told.trainedOn} training and ${told.validatedOn} validation examples, which is too few to tune embeddings.`;
    yield { kind: "candidate", result: { candidate: start, parameters: told, note } };
    return;
  }
  const { matrix, bestEpoch, losses } = yield* follow(
    tuneQueryMap({ ...tuning, runtime: await context.runtime(), seed: context.seed, signal: context.signal }),
  );
  const lossOf = (epoch: number): number => Number(losses[epoch]!.validationLoss.toFixed(4));
  const parameters = { ...told, hardNegatives, bestEpoch, validationLoss: { before: lossOf(0), after: lossOf(bestEpoch) } };
  if (bestEpoch === 0) {
    yield {
      kind: "candidate",
      result: { candidate: start, parameters, note: "No epoch lowered the loss on validation: the embeddings stay." },
    };
    return;
  }
  await writeQueryMap(await context.store.path("query-map.safetensors"), { dimensions: Math.sqrt(matrix.length), matrix });
  const queryMap = await context.artefact("query-map.safetensors");
  const note = tuning.guessed === 0 ? {} : { note: `The gold passage of ${tuning.guessed} examples was guessed: it contains the answer.` };
  yield {
    kind: "candidate",
    result: { candidate: { ...start, retriever: { ...settings, queryMap } }, parameters, artefacts: [queryMap], ...note },
  };
}

async function* follow(running: ReturnType<typeof tuneQueryMap>): AsyncGenerator<StrategyEvent, TunedQueryMap> {
  for (;;) {
    const { done, value } = await running.next();
    if (done === true) return value;
    const detail = `loss ${value.trainLoss.toFixed(3)}, validation ${value.validationLoss.toFixed(3)}`;
    yield { kind: "progress", label: "epoch", done: value.epoch, of: value.epoch, detail };
  }
}

type EmbeddedSettings = RetrieverSettings & { readonly embedding: string };

/** The examples whose gold passages are known, as vectors and places of passages. */
async function examplesFor(settings: EmbeddedSettings, { train, validation }: StrategyData, { resources, task, signal }: StrategyContext) {
  const cache = await embeddingCache(await resources.embedding(settings.embedding), resources.store.scope("indexes"));
  const lexical = await resources.retriever({ ...settings, scorer: "bm25" });
  const indexed = lexical.indexed();
  const placeOf = new Map(indexed.map(({ document, chunk }, place) => [`${document.id} ${chunk.start}`, place]));
  let guessed = 0;
  const queries = async (examples: readonly LabelledExample[]): Promise<TuningQuery[]> => {
    const known: TuningQuery[] = [];
    for (const example of examples) {
      const found = await lexical.search(example.input, { k: hardNegatives, signal });
      const places = found.map(({ document, start }) => placeOf.get(`${document} ${start}`)!);
      const guess = task.output.kind === "text" && example.evidence === undefined ? guessOf(example, places, indexed) : undefined;
      const { answers, others } = guess ?? { answers: goldOf(example, indexed), others: places };
      if (answers.length === 0) continue;
      if (guess !== undefined) guessed++;
      known.push({ vector: await cache.query(example.input, signal), answers, others: others.filter((place) => !answers.includes(place)) });
    }
    return known;
  };
  const passages = await cache.passages(indexed.map(textOf), signal);
  return { train: await queries(train), validation: await queries(validation), passages, guessed };
}

type Places = Pick<TuningQuery, "answers" | "others">;

/** Without evidence: the first passage found that holds the answer's words counts as gold, and none that does as a negative. */
function guessOf({ output }: LabelledExample, places: readonly number[], passages: readonly IndexedPassage[]): Places {
  const holds = new Set(places.filter((place) => textOf(passages[place]!).toLowerCase().includes(output.toLowerCase())));
  return { answers: [...holds].slice(0, 1), others: places.filter((place) => !holds.has(place)) };
}

/** The places of the passages that hold most of the evidence, or most of which it holds; none where an example names no evidence. */
function goldOf({ evidence = [] }: LabelledExample, passages: readonly IndexedPassage[]): number[] {
  return passages.flatMap(({ document, chunk }, place) => {
    const gold = evidence.some((one) => {
      if (one.document !== document.id) return false;
      const shared = Math.min(one.end, chunk.end) - Math.max(one.start, chunk.start);
      return 2 * shared >= Math.min(one.end - one.start, chunk.end - chunk.start);
    });
    return gold ? [place] : [];
  });
}
