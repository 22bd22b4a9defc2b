// Several signals as one: logistic regression over standardised signals. Small and dense, so Newton's method is enough.

export type Logistic = (features: readonly number[]) => number;

/** The log odds of a right answer, learnt with a little weight decay. Deterministic. */
export function fitLogistic(rows: readonly (readonly number[])[], right: readonly boolean[], decay = 1): Logistic {
  const width = rows[0]!.length;
  const means = Array.from({ length: width }, (_, at) => rows.reduce((sum, row) => sum + row[at]!, 0) / rows.length);
  const deviations = means.map((mean, at) => Math.sqrt(rows.reduce((sum, row) => sum + (row[at]! - mean) ** 2, 0) / rows.length));
  const standardised = (row: readonly number[]): number[] => [1, ...row.map((value, at) => (value - means[at]!) / (deviations[at]! || 1))];
  const all = rows.map(standardised);
  let weights = Array.from({ length: width + 1 }, () => 0);
  const odds = (row: readonly number[]): number => row.reduce((sum, value, at) => sum + value * weights[at]!, 0);
  for (let step = 0; step < 25; step++) {
    const gradient = weights.map((weight, at) => (at === 0 ? 0 : -decay * weight));
    const hessian = weights.map((_, at) => weights.map((__, other) => (at === other && at > 0 ? decay : 0)));
    for (const [index, row] of all.entries()) {
      const probability = 1 / (1 + Math.exp(-odds(row)));
      for (const [at, value] of row.entries()) {
        gradient[at]! += (Number(right[index]) - probability) * value;
        for (const [other, second] of row.entries()) hessian[at]![other]! += probability * (1 - probability) * value * second;
      }
    }
    const change = solve(hessian, gradient);
    weights = weights.map((weight, at) => weight + change[at]!);
  }
  return (features) => odds(standardised(features));
}

/** Gauss and Jordan, with the largest pivot. */
function solve(matrix: readonly (readonly number[])[], values: readonly number[]): number[] {
  const rows = matrix.map((row, at) => [...row, values[at]!]);
  for (let column = 0; column < rows.length; column++) {
    const pivot = rows.reduce(
      (best, row, at) => (at >= column && Math.abs(row[column]!) > Math.abs(rows[best]![column]!) ? at : best),
      column,
    );
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const lead = rows[column]!;
    for (const [at, row] of rows.entries()) {
      if (at === column) continue;
      const factor = row[column]! / lead[column]!;
      rows[at] = row.map((value, place) => value - factor * lead[place]!);
    }
  }
  return rows.map((row, at) => row.at(-1)! / row[at]!);
}
