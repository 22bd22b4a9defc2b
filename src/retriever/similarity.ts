// How alike two texts are: by their vectors, or by their terms.
import { stemmedTerms } from "../util/terms.ts";

/** Of unit vectors, their cosine. */
export function innerProduct(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += a[index]! * b[index]!;
  return sum;
}

/** How often each term stands in a text. */
export function termVector(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const term of stemmedTerms(text)) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

export function termCosine(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let product = 0;
  for (const [term, count] of a) product += count * (b.get(term) ?? 0);
  const lengths = Math.hypot(...a.values()) * Math.hypot(...b.values());
  return lengths === 0 ? 0 : product / lengths;
}
