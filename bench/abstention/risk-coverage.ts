// Answering only where one is sure: what share of the answers is wrong at each share answered, and from which confidence on to answer.

export interface Decision {
  readonly confidence: number;
  /** Whether an answer given here would be wrong. */
  readonly wrong: boolean;
}

/**
 * The area under the risk-coverage curve (Geifman and El-Yaniv 2017): the mean over all coverages of the share of wrong answers among the
 * most confident ones. Equal confidences count in the mean of all their orders. Always answering has the overall share at every coverage.
 */
export function areaUnderRiskCoverage(decisions: readonly Decision[]): number {
  let [answered, wrong, area] = [0, 0, 0];
  for (const tied of ties(decisions)) {
    const share = tied.filter((one) => one.wrong).length / tied.length;
    for (let within = 0; within < tied.length; within++) {
      answered += 1;
      wrong += share;
      area += wrong / answered;
    }
  }
  return area / decisions.length;
}

/** The lowest confidence at which to answer, so that most decisions are right: a right answer given, a wrong one kept back. */
export function bestThreshold(decisions: readonly Decision[]): number {
  let best = { right: decisions.filter(({ wrong }) => wrong).length, threshold: Number.POSITIVE_INFINITY };
  let { right } = best;
  for (const tied of ties(decisions)) {
    right += tied.reduce((sum, { wrong }) => sum + (wrong ? -1 : 1), 0);
    if (right > best.right) best = { right, threshold: tied[0]!.confidence };
  }
  return best.threshold;
}

export function rightDecisions(decisions: readonly Decision[], threshold: number): number {
  return decisions.filter(({ confidence, wrong }) => confidence >= threshold !== wrong).length / decisions.length;
}

/** Decisions of equal confidence together, the most confident first. */
function ties(decisions: readonly Decision[]): Decision[][] {
  const groups: Decision[][] = [];
  for (const one of decisions.toSorted((a, b) => b.confidence - a.confidence)) {
    if (groups.at(-1)?.[0]!.confidence === one.confidence) groups.at(-1)!.push(one);
    else groups.push([one]);
  }
  return groups;
}
