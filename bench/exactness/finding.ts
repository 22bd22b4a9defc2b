// What the exactness bench finds: one figure beside its bound, and how figures are taken from rows of logits.

export interface Finding {
  /** Short, for --json. */
  readonly name: string;
  readonly what: string;
  readonly value: number;
  readonly bound?: { readonly atMost: number } | { readonly atLeast: number };
  /** Where it was, or what belongs to it. */
  readonly note?: string;
}

export function holds({ value, bound }: Finding): boolean {
  if (bound === undefined) return true;
  return "atMost" in bound ? value <= bound.atMost : value >= bound.atLeast;
}

/** |a - b| / |b|, Euclidean. */
export function relativeError(a: Float32Array, b: Float32Array): number {
  let [apart, size] = [0, 0];
  for (const [i, value] of b.entries()) {
    apart += (a[i]! - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(apart / size);
}

export function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = a.length === b.length ? 0 : Number.NaN;
  for (const [i, value] of b.entries()) largest = Math.max(largest, Math.abs(a[i]! - value));
  return largest;
}

/** The rows of a matrix, without copies. */
export function rowsOf(data: Float32Array, width: number): readonly Float32Array[] {
  return Array.from({ length: data.length / width }, (_, row) => data.subarray(row * width, (row + 1) * width));
}

export function indexOfLargest(values: Float32Array): number {
  let best = 0;
  for (const [i, value] of values.entries()) if (value > values[best]!) best = i;
  return best;
}

/** Natural-log probabilities of a row of logits. */
function logSoftmax(logits: Float32Array): Float64Array {
  const highest = logits[indexOfLargest(logits)]!;
  const total = logits.reduce((sum, value) => sum + Math.exp(value - highest), 0);
  return Float64Array.from(logits, (value) => value - highest - Math.log(total));
}

export interface RowGap {
  /** Kullback-Leibler divergence of the graph's distribution from the served one, in nats. */
  readonly divergence: number;
  /** Variance of the difference of the logits over the vocabulary: what adds the same to all of them changes nothing. */
  readonly variance: number;
  readonly sameTop: boolean;
}

export function rowGap(graph: Float32Array, served: Float32Array): RowGap {
  const [ours, theirs] = [logSoftmax(graph), logSoftmax(served)];
  let [divergence, sum, squares] = [0, 0, 0];
  for (const [i, theirLog] of theirs.entries()) {
    divergence += Math.exp(theirLog) * (theirLog - ours[i]!);
    const apart = graph[i]! - served[i]!;
    sum += apart;
    squares += apart * apart;
  }
  const mean = sum / theirs.length;
  return { divergence, variance: squares / theirs.length - mean * mean, sameTop: indexOfLargest(graph) === indexOfLargest(served) };
}
