// What retrieval alone tells of how sure it is: numbers of one question, each the higher the surer. Knows nothing of answers.
import { scoreSentences } from "../../src/answer/sentence-scores.ts";
import type { Passage } from "../../src/evaluation.ts";
import { supportOf } from "../../src/metric/support.ts";
import type { OpenIndex } from "../../src/retriever/open-index.ts";
import { sentences } from "../../src/util/sentences.ts";
import { contentTerms } from "../../src/util/terms.ts";
import { wordsHeld } from "../words-held.ts";

export const signalNames = [
  "BM25",
  "BM25 over the most it could be",
  "BM25, margin to the second",
  "cosine",
  "cosine, margin to the second",
  "convex, standardised",
  "convex, margin to the second",
  "question's words in the passage",
  "question's words in one sentence",
  "question's numbers and names in the passage",
  "words in one sentence and cosine",
  "best sentence, as candidates score it",
] as const;
export type SignalName = (typeof signalNames)[number];
export type Signals = { readonly [N in SignalName]: number };

export interface Measured {
  readonly signals: Signals;
  /** By convex. */
  readonly passages: readonly Passage[];
}

/** Passages that are looked for: the best and what it leads by. */
const K = 4;

export interface SignalsOptions {
  readonly question: string;
  readonly index: OpenIndex;
  /** What a term of the question counts. */
  readonly weight: (term: string) => number;
  readonly embed: (text: string) => Promise<Float32Array>;
}

export async function signalsOf({ question, index, weight, embed }: SignalsOptions): Promise<Measured> {
  const found = {
    bm25: await index.search(question, { method: "bm25", k: K }),
    dense: await index.search(question, { method: "dense", k: K }),
    convex: await index.search(question, { method: "convex", k: K }),
  };
  const score = (passages: readonly Passage[], rank = 0): number => passages[rank]?.score ?? 0;
  const margin = (passages: readonly Passage[]): number => score(passages) - score(passages, 1);
  const [best] = found.convex;
  const held = (passage: string): number => wordsHeld(question, passage, weight);
  const text = best === undefined ? "" : `${best.title}\n\n${best.text}`;
  const inOneSentence = Math.max(0, ...sentences(text).map((one) => held(one.text)));
  const scored = await scoreSentences({ question, passages: found.convex, embed });
  const most = [...new Set(contentTerms(question))].reduce((sum, term) => sum + weight(term), 0);
  return {
    passages: found.convex,
    signals: {
      BM25: score(found.bm25),
      "BM25 over the most it could be": most === 0 ? 0 : score(found.bm25) / most,
      "BM25, margin to the second": margin(found.bm25),
      cosine: score(found.dense),
      "cosine, margin to the second": margin(found.dense),
      "convex, standardised": score(found.convex),
      "convex, margin to the second": margin(found.convex),
      "question's words in the passage": held(text),
      "question's words in one sentence": inOneSentence,
      "question's numbers and names in the passage": -supportOf({ sentence: question, passage: text }).missing.length,
      "words in one sentence and cosine": (inOneSentence + score(found.dense)) / 2,
      "best sentence, as candidates score it": Math.max(0, ...scored.map((one) => one.score)),
    },
  };
}
