// Every strategy by name, and the chains that `all` stands for.
import { UserError } from "../errors.ts";
import { didYouMean } from "../util/suggest.ts";
import { bestPassage } from "./baseline/best-passage.ts";
import { linearBaseline } from "./baseline/linear.ts";
import { nearestBaseline } from "./baseline/nearest.ts";
import { cascadeStrategy } from "./combine/cascade.ts";
import { routeStrategy } from "./combine/route.ts";
import { pretrainStrategy } from "./pretrain/pretrain.ts";
import { fewShot, nearestFewShot } from "./prompt/few-shot.ts";
import { promptSearch } from "./prompt/search.ts";
import { zeroShot } from "./prompt/zero-shot.ts";
import { abstainStep } from "./retrieve/abstain.ts";
import { closedBook, summariseStep } from "./retrieve/arrange.ts";
import { compressStep } from "./retrieve/compress.ts";
import { ragStrategy } from "./retrieve/rag.ts";
import type { Strategy } from "./strategy.ts";
import { fullStrategy } from "./tune/full.ts";
import { loraStrategy } from "./tune/lora.ts";
import { raftStrategy } from "./tune/raft.ts";
import { tuneTextStrategy } from "./tune/tune-text.ts";

export const strategies: readonly Strategy[] = [
  zeroShot,
  fewShot,
  nearestFewShot,
  promptSearch,
  ragStrategy("tf-idf"),
  ragStrategy("bm25"),
  ragStrategy("dense"),
  ragStrategy("hybrid"),
  ragStrategy("convex"),
  summariseStep,
  compressStep,
  abstainStep,
  closedBook,
  loraStrategy,
  fullStrategy,
  raftStrategy,
  tuneTextStrategy,
  pretrainStrategy,
  linearBaseline,
  nearestBaseline,
  bestPassage,
  cascadeStrategy,
  routeStrategy,
];

/** One of each technique, and one chain: what a comparison should not do without. */
export const coreChains: readonly string[] = [
  "zero-shot",
  "tf-idf-linear",
  "nearest-example",
  "best-passage",
  "few-shot",
  "rag-bm25",
  "lora",
  "rag-bm25 > lora",
  "pretrain",
];

/** In the order in which a short budget is spent: the core, then its relatives, then what is made of others. */
export const allChains: readonly string[] = [
  ...coreChains,
  "knn-few-shot",
  "lora > rag-bm25",
  "prompt",
  "rag-hybrid",
  "rag-dense",
  "rag-tf-idf",
  "rag-bm25 > raft",
  "full",
  "rag-bm25 > lora > abstain",
  "rag-bm25 > summarise",
  "rag-bm25 > compress",
  "rag-bm25 > abstain",
  "prompt > lora > prompt",
  "rag-bm25 > tune-text > prompt",
  "rag-bm25 > tune-text > closed-book > prompt",
  "cascade",
  "route",
];

const byName = new Map(strategies.map((strategy) => [strategy.name, strategy]));

/** @throws {UserError} for a name that is no strategy, with the nearest one. */
export function strategyNamed(name: string): Strategy {
  const found = byName.get(name);
  if (found !== undefined) return found;
  throw new UserError(`No strategy "${name}". ${didYouMean(name, [...byName.keys()])} Chains are written "rag-bm25 > lora".`);
}

/** The names of a chain's steps, first to last: `a > b > c`. */
export const stepsOf = (chain: string): readonly string[] => chain.split(">").map((step) => step.trim());

/** `a > b > c` as strategies, first to last. */
export function parseChain(chain: string): readonly Strategy[] {
  const steps = stepsOf(chain);
  if (steps.some((step) => step === "")) throw new UserError(`The chain "${chain}" has an empty step. Write it like "rag-bm25 > lora".`);
  const parsed = steps.map(strategyNamed);
  const combining = parsed.find((strategy) => strategy.combines);
  if (combining !== undefined && parsed.length > 1)
    throw new UserError(`"${combining.name}" in "${chain}" is made of whole candidates. List it by itself.`);
  return parsed;
}
