// Writes questions.jsonl from questions.source.jsonl: every quote becomes the place where it stands in its page, as Sartor reads that
// page. To be run again whenever a page, a question or the reader changes: npx tsx examples/questions/resolve.ts
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readDocuments } from "../../src/document/read-all.ts";
import { UserError } from "../../src/errors.ts";
import type { Document, Evidence, LabelledExample } from "../../src/task.ts";

interface Quote {
  readonly document: string;
  readonly quote: string;
}

type SourceQuestion = Omit<LabelledExample, "evidence"> & { readonly quotes: readonly Quote[] };

const folder = fileURLToPath(new URL(".", import.meta.url));
const { documents } = await readDocuments({ sources: ["handbook/"], folder });
const pages = new Map(documents.map((document) => [document.id, document]));
const source = await readFile(`${folder}questions.source.jsonl`, "utf8");
const lines = source
  .trim()
  .split("\n")
  .map((line) => JSON.stringify(resolve(JSON.parse(line) as SourceQuestion)));
await writeFile(`${folder}questions.jsonl`, `${lines.join("\n")}\n`);

function resolve({ id, input, output, quotes, ...more }: SourceQuestion): LabelledExample {
  return { id, input, output, evidence: quotes.map((quote) => placeOf(id, quote)), ...more };
}

function placeOf(id: string, { document, quote }: Quote): Evidence {
  const page: Document | undefined = pages.get(document);
  const start = page?.text.indexOf(quote) ?? -1;
  if (page === undefined || start === -1)
    throw new UserError(`${id}: "${quote}" does not stand in ${document}. Quote the page to the letter.`);
  return { document, ...rowAround(page.text, { start, end: start + quote.length }) };
}

/** A cell says little without its row, so a quote in a table stands for the row. */
function rowAround(
  text: string,
  { start, end }: { readonly start: number; readonly end: number },
): { readonly start: number; readonly end: number } {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const nextLine = text.indexOf("\n", end);
  return text[lineStart] === "|" ? { start: lineStart, end: nextLine === -1 ? text.length : nextLine } : { start, end };
}
