// Whether the gold passages of examples are there.
import { UserError } from "../errors.ts";
import type { Document } from "../task.ts";
import { didYouMean } from "../util/suggest.ts";
import type { PlacedExample } from "./example-of.ts";

/** Throws UserError at the first evidence whose document is not there or whose characters are outside it. */
export function checkEvidence(placed: readonly PlacedExample[], documents: readonly Document[]): void {
  const lengths = new Map(documents.map(({ id, text }) => [id, text.length]));
  for (const { place, example } of placed) {
    for (const { document, start, end } of example.evidence ?? []) {
      const length = lengths.get(document);
      if (length === undefined) {
        const hint = documents.length === 0 ? 'The task has none: name them under "documents".' : closest(document, [...lengths.keys()]);
        throw new UserError(`${place}: evidence names the document "${document}", which is not there. ${hint}`);
      }
      if (start < 0 || end <= start || end > length) {
        throw new UserError(
          `${place}: evidence spans characters ${start} to ${end} of ${document}, which has ${length}. Give 0 <= start < end <= ${length}.`,
        );
      }
    }
  }
}

/** With many documents the whole list would not be one line. */
function closest(document: string, known: readonly string[]): string {
  const hint = didYouMean(document, known);
  return hint.startsWith("Known") && known.length > 10 ? `The ${known.length} documents are named like "${known[0]}".` : hint;
}
