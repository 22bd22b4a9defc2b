// A source as a line under an answer: number, document, page, characters, date, how it begins.
import { pagesNamed, type Passage } from "../index.ts";

export function sourceLine(number: number, passage: Passage & { readonly modified?: string }): string {
  const changed = passage.modified === undefined ? "" : `changed ${passage.modified.slice(0, 10)}`;
  const place = [passage.document, pagesNamed(passage), `${passage.start}-${passage.end}`, changed]
    .filter((part) => part !== "")
    .join(", ");
  return `  [${number}] ${place}: ${passage.text.replace(/\s+/gu, " ").slice(0, 90)}`;
}
