// "Did you mean": the way out of a misspelt name.
import { closest, distance } from "fastest-levenshtein";

/**
 * A sentence that helps with an unknown name: `Did you mean "accuracy"?` where a known one is at most two edits (or a third of the
 * name) away, else `Known: a, b, c.`
 */
export function didYouMean(name: string, known: readonly string[]): string {
  const lower = name.toLowerCase();
  const nearest =
    known.length === 0
      ? undefined
      : closest(
          lower,
          known.map((one) => one.toLowerCase()),
        );
  const match = known.find((one) => one.toLowerCase() === nearest);
  if (match !== undefined && distance(lower, match.toLowerCase()) <= Math.max(2, Math.floor(name.length / 3)))
    return `Did you mean "${match}"?`;
  return `Known: ${known.join(", ") || "none"}.`;
}
