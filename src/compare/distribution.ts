// The few figures of a sample and of Student's t that the intervals need.

/** The 97.5 % quantile of the normal distribution. */
export const normal975 = 1.959963984540054;

/** The value below which the share `level` of the sample lies, interpolated (Hyndman and Fan's type 7). NaN over none. */
export function quantile(sample: ArrayLike<number>, level: number): number {
  const sorted = Float64Array.from(sample).sort();
  const position = level * (sorted.length - 1);
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (position - Math.floor(position)) * (above - below);
}

/**
 * Student's t with the same tail as the normal `z`, by the Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5); within 1 % for
 * 10 degrees of freedom or more and |z| up to 3.5.
 */
export function studentQuantile(z: number, degrees: number): number {
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / degrees + second / degrees ** 2 + third / degrees ** 3;
}

/** Probability that a standard normal is below `z`, to 2e-7 (Abramowitz and Stegun 7.1.26). */
export function normalProbability(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = 0.5 * polynomial * Math.exp(-x * x);
  return z < 0 ? tail : 1 - tail;
}

/** The inverse of {@link normalProbability} by bisection, for probabilities in (0, 1). */
export function normalQuantile(probability: number): number {
  let low = -9;
  let high = 9;
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (normalProbability(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Variance with divisor n. */
export function variance(sample: ArrayLike<number>): number {
  const values = Float64Array.from(sample);
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  return values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
}
