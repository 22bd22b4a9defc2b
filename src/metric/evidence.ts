// Which gold passages were retrieved, and at which rank. Knows nothing of scores.
import type { Passage } from "../evaluation.ts";
import type { Evidence } from "../task.ts";

/** A gold passage counts as found once half of its characters stand in the passages. */
const enough = 0.5;

/** The passages as the retriever ranked them: a prompt may show them in another order. */
export function ranked(passages: readonly Passage[]): readonly Passage[] {
  return passages.toSorted((left, right) => right.score - left.score);
}

/** The rank, from 1, at which the passages seen so far hold enough of the evidence; undefined where they never do. */
export function foundAt(evidence: Evidence, passages: readonly Passage[]): number | undefined {
  const length = Math.max(1, evidence.end - evidence.start);
  const covered = new Uint8Array(length);
  let count = 0;
  for (const [index, passage] of passages.entries()) {
    if (passage.document !== evidence.document) continue;
    const from = Math.max(0, passage.start - evidence.start);
    const to = Math.min(length, passage.end - evidence.start);
    for (let character = from; character < to; character += 1) {
      if (covered[character] === 0) count += 1;
      covered[character] = 1;
    }
    if (count >= enough * length) return index + 1;
  }
  return undefined;
}
