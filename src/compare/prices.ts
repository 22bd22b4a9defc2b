// What the servers a candidate asks take for its answers, from the prices that the task or the catalogue states.
import { type Candidate, modelsOf } from "../candidate.ts";
import type { Row } from "../evaluation.ts";

/**
 * Dollars for 1,000 answers at mean token counts, by the price a million tokens of the one server asked; undefined where nothing
 * is asked, no price is stated, or several servers share the tokens (whose share is whose is not in the rows).
 */
export function servedDollarsPer1k(candidate: Candidate, rows: readonly Row[]): number | undefined {
  const prices = modelsOf(candidate).flatMap((model) =>
    model.trained === undefined && typeof model.reference !== "string" ? [model.reference.price] : [],
  );
  const [price] = prices;
  if (price === undefined || prices.some((other) => other?.input !== price.input || other.output !== price.output)) return undefined;
  const sum = rows.reduce((total, { tokens }) => total + tokens.input * price.input + tokens.output * price.output, 0);
  return (sum / Math.max(1, rows.length) / 1e6) * 1000;
}
