// The F1 of counts and the multiset overlap beneath it. Knows nothing of texts.

/** 2 tp / (2 tp + fp + fn); 1 where nothing was expected and nothing given. */
export function f1OfCounts(truePositives: number, falsePositives: number, falseNegatives: number): number {
  const total = 2 * truePositives + falsePositives + falseNegatives;
  return total === 0 ? 1 : (2 * truePositives) / total;
}

/** How many elements two lists share, each counted as often as both hold it. */
export function overlap(left: readonly string[], right: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const element of left) counts.set(element, (counts.get(element) ?? 0) + 1);
  let shared = 0;
  for (const element of right) {
    const count = counts.get(element) ?? 0;
    if (count > 0) shared += 1;
    counts.set(element, count - 1);
  }
  return shared;
}

/** `[tp, fp, fn]` of a list of given elements against the expected ones. */
export function countsOf(expected: readonly string[], given: readonly string[]): readonly [number, number, number] {
  const shared = overlap(expected, given);
  return [shared, given.length - shared, expected.length - shared];
}

/** Expected elements that were not given, each as often as it is missing. */
export function missing(expected: readonly string[], given: readonly string[]): readonly string[] {
  const left = [...given];
  return expected.filter((element) => {
    const index = left.indexOf(element);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}
