// A source as a line under an answer: number, document, page, characters, date, how it begins.
import { dayNamed, pagesNamed, type Passage } from "../index.ts";

export function sourceLine(number: number, passage: Passage): string {
  const changed = dayNamed(passage) === "" ? "" : `changed ${dayNamed(passage)}`;
  const place = [passage.document, pagesNamed(passage), `${passage.start}-${passage.end}`, changed]
    .filter((part) => part !== "")
    .join(", ");
  return `  [${number}] ${place}: ${passage.text.replace(/\s+/gu, " ").slice(0, 90)}`;
}
