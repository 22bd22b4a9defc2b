// How much work an answer is, without the clock: tokens read and written on validation, so that the same seed chooses the same pair.
import type { Built } from "../strategy.ts";

/** Tokens read plus twenty for each written (about what a processor makes of it); 0 for candidates without a language model. */
export function answerWeight({ evaluation }: Built): number {
  const { rows } = evaluation;
  return rows.reduce((sum, row) => sum + row.tokens.input + 20 * row.tokens.output, 0) / Math.max(1, rows.length);
}
