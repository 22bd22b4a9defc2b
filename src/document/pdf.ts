// PDF as Markdown, page by page: headings, tables and columns by pdf-inspector; where it fails a page, or has no build for the machine,
// the plain text by PDF.js.
import type { getDocumentProxy as GetDocumentProxy } from "unpdf";
import { pdfDate } from "./date.ts";
import { type Converted, joinPages, type RawFile } from "./converted.ts";
import { Unreadable } from "./limits.ts";
import { titleOfHeading, titleOfName } from "./markdown.ts";
import { words } from "../util/words.ts";

/** A page whose Markdown holds less of the plain text's characters than this has lost lines. */
const KEPT = 0.85;
/** A page whose Markdown holds less of the plain text's words than this is not in reading order: right-to-left script, mostly. */
const ALIKE = 0.5;

interface Page {
  readonly text: string;
  /** The page shows what is no text. */
  readonly scanned: boolean;
}

/** Throws Unreadable for a file that is encrypted, broken, or holds no text at all. */
export async function pdfToMarkdown({ name, bytes }: RawFile): Promise<Converted> {
  const { pages: plain, modified } = await plainPages(bytes);
  const marked = await markedPages(bytes);
  const pages = plain.map((text, index): Page => {
    const page = marked?.[index];
    if (page === undefined) return { text: paragraphs(text), scanned: text.trim() === "" };
    if (page.scanned) return { text: "", scanned: true };
    return { text: isFaithful(page.text, text) ? page.text : paragraphs(text), scanned: false };
  });
  const { text, pages: places } = joinPages(pages.map((page) => page.text));
  const scans = pages.flatMap(({ scanned }, index) => (scanned ? [index + 1] : []));
  if (text === "" && pages.length > 0)
    throw new Unreadable(
      `holds ${pages.length === 1 ? "one page" : `${pages.length} pages`} of pictures and no text: it is a scan. Run text recognition (OCR) over it.`,
    );
  return {
    text,
    pages: places,
    title: titleOf(pages[0]?.text ?? "", titleOfName(name)),
    ...(modified !== undefined && { modified }),
    ...(scans.length > 0 && {
      notices: [
        `${pagesNamed(scans)} ${scans.length === 1 ? "holds" : "hold"} no text that can be read: a scan, or broken fonts. Run text recognition (OCR) over them.`,
      ],
    }),
  };
}

/** A heading is guessed from the size of its letters and may be the same in many files: the file's name tells them apart. */
function titleOf(firstPage: string, fileName: string): string {
  const heading = titleOfHeading(firstPage);
  return heading === undefined || heading.toLowerCase() === fileName.toLowerCase() ? fileName : `${heading} (${fileName})`;
}

async function markedPages(bytes: Uint8Array): Promise<readonly Page[] | undefined> {
  try {
    const { extractPagesMarkdown } = await import("@firecrawl/pdf-inspector");
    const { pages } = extractPagesMarkdown(Buffer.from(bytes));
    return pages.map(({ markdown, needsOcr }) => ({ text: markdown, scanned: needsOcr }));
  } catch {
    // No build for this machine, or a file that it cannot read: the plain text stands.
    return undefined;
  }
}

async function plainPages(bytes: Uint8Array): Promise<{ readonly pages: readonly string[]; readonly modified: string | undefined }> {
  const { extractText, getDocumentProxy } = await import("unpdf");
  // PDF.js takes the bytes away from whoever gives them.
  const document = await openPdf(getDocumentProxy, new Uint8Array(bytes));
  const { text } = await extractText(document, { mergePages: false });
  const { ModDate, CreationDate } = await infoOf(document);
  await document.destroy();
  return { pages: text, modified: pdfDate(ModDate) ?? pdfDate(CreationDate) };
}

/** What the file says of itself; one that says it in a broken way says nothing. */
async function infoOf(document: Awaited<ReturnType<typeof GetDocumentProxy>>): Promise<{ readonly [name: string]: string | undefined }> {
  const { info } = await document.getMetadata().catch(() => ({ info: {} }));
  return Object.fromEntries(Object.entries(info).map(([name, value]) => [name, typeof value === "string" ? value : undefined]));
}

async function openPdf(open: typeof GetDocumentProxy, bytes: Uint8Array): ReturnType<typeof GetDocumentProxy> {
  try {
    return await open(bytes, { verbosity: 0 });
  } catch (cause) {
    const encrypted = cause instanceof Error && (cause.name === "PasswordException" || /password|encrypt/i.test(cause.message));
    throw new Unreadable(encrypted ? "is encrypted. Save it without a password." : "is a broken PDF. Print or export it again.", { cause });
  }
}

/** Line ends within a page are kept; more than one empty line in a row is not. */
function paragraphs(text: string): string {
  return text

    .replaceAll(/[ \t]+/g, " ")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}

function isFaithful(markdown: string, plain: string): boolean {
  const characters = (text: string): number => text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  if (characters(markdown) < KEPT * characters(plain)) return false;
  const expected = words(plain);
  const held = new Map<string, number>();
  for (const word of words(markdown)) held.set(word, (held.get(word) ?? 0) + 1);
  let found = 0;
  for (const word of expected) {
    const left = held.get(word) ?? 0;
    if (left > 0) found++;
    held.set(word, left - 1);
  }
  return found >= ALIKE * expected.length;
}

/** `pages 1 to 3 and 7` */
function pagesNamed(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  const named = ranges.map(([from, to]) => (from === to ? String(from) : `${from} to ${to}`));
  const list = named.length === 1 ? named[0]! : `${named.slice(0, -1).join(", ")} and ${named.at(-1)}`;
  return `${numbers.length === 1 ? "page" : "pages"} ${list}`;
}
