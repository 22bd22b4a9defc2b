// How well passages match an example's gold evidence. Pure; knows nothing of retrievers.
import type { Passage } from "../evaluation.ts";
import type { Evidence } from "../task.ts";

type Place = Pick<Passage, "document" | "start" | "end">;

/** Whether a passage shows a piece of evidence: one of the two lies at least half within the other. */
export function shows(passage: Place, evidence: Evidence): boolean {
  if (passage.document !== evidence.document) return false;
  const overlap = Math.min(passage.end, evidence.end) - Math.max(passage.start, evidence.start);
  return overlap > 0 && 2 * overlap >= Math.min(passage.end - passage.start, evidence.end - evidence.start);
}

/** The share of the evidence, in [0, 1], that the first `k` passages show; undefined where there is no evidence. */
export function recallAt(passages: readonly Place[], evidence: readonly Evidence[], k: number): number | undefined {
  if (evidence.length === 0) return undefined;
  const first = passages.slice(0, k);
  return evidence.filter((one) => first.some((passage) => shows(passage, one))).length / evidence.length;
}

/**
 * nDCG of the first `k` passages, in [0, 1] (Jaervelin and Kekaelaeinen 2002): a passage gains 1 for each piece of evidence that none before
 * it has shown; ideal is one piece a rank, and one passage that shows several is no better than that. Undefined where there is no evidence.
 */
export function ndcgAt(passages: readonly Place[], evidence: readonly Evidence[], k: number): number | undefined {
  if (evidence.length === 0) return undefined;
  const missing = new Set(evidence);
  let gain = 0;
  passages.slice(0, k).forEach((passage, index) => {
    for (const one of missing) {
      if (!shows(passage, one)) continue;
      missing.delete(one);
      gain += discount(index);
    }
  });
  let ideal = 0;
  for (let index = 0; index < Math.min(k, evidence.length); index++) ideal += discount(index);
  return Math.min(1, gain / ideal);
}

function discount(index: number): number {
  return 1 / Math.log2(index + 2);
}
