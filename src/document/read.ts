// One file -> one document: its text as Markdown, its title, its hash.
import { extname } from "node:path";
import { parse as parseYaml } from "yaml";
import { readTextFile } from "../data/text-file.ts";
import { UserError } from "../errors.ts";
import type { Document } from "../task.ts";
import { sha256 } from "../util/hash.ts";
import { htmlToMarkdown } from "./html.ts";
import type { Page } from "./html.ts";

interface Format {
  readonly convert: (text: string) => Page;
  readonly declaredEncoding?: (head: string) => string | undefined;
}

const html: Format = { convert: htmlToMarkdown, declaredEncoding: (head) => /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(head)?.[1] };
const markdown: Format = { convert: (text) => withTitle(text, titleOfMarkdown(text)) };

/** Every format that is read, by the end of the file's name. */
const formats: { readonly [extension: string]: Format } = {
  ".md": markdown,
  ".markdown": markdown,
  ".txt": { convert: (text) => ({ text }) },
  ".html": html,
  ".htm": html,
};

export function isReadable(path: string): boolean {
  return Object.hasOwn(formats, extname(path).toLowerCase());
}

/** `.md, .markdown, .txt, .html and .htm` */
export function formatNames(): string {
  return Object.keys(formats)
    .join(", ")
    .replace(/, ([^,]+)$/, " and $1");
}

/**
 * The document in a file. Line ends become "\n" and a byte order mark goes, before any offset is counted; Markdown and text stay as
 * they are else, HTML becomes Markdown. The title is the front matter's, else the first heading of the first level, else the file's
 * name. Throws UserError when the file is not there, not text, of another format, or empty; `name` is what the message calls it.
 */
export async function readDocument({
  path,
  id,
  name = path,
}: {
  readonly path: string;
  readonly id: string;
  readonly name?: string;
}): Promise<Document> {
  const extension = extname(path).toLowerCase();
  const format = Object.hasOwn(formats, extension) ? formats[extension] : undefined;
  if (format === undefined)
    throw new UserError(`${name} can't be read: documents are ${formatNames()} so far. Convert it, or leave it out.`);
  const { convert, ...encoding } = format;
  const raw = await readTextFile({ path, name, ...encoding });
  const page = convert(raw.replaceAll(/\r\n?/g, "\n"));
  if (page.text.trim() === "") throw new UserError(`${name} is an empty document. Write something into it, or remove it.`);
  return { id, title: page.title ?? titleOfName(id), text: page.text, sha256: sha256(page.text) };
}

function withTitle(text: string, title: string | undefined): Page {
  return title === undefined ? { text } : { title, text };
}

function titleOfMarkdown(text: string): string | undefined {
  const front = /^---\n([\s\S]*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|$)/.exec(text);
  const body = front === null ? text : text.slice(front[0].length);
  return titleOfFrontMatter(front?.[1] ?? "") ?? titleOfHeading(body);
}

function titleOfFrontMatter(front: string): string | undefined {
  try {
    const fields = parseYaml(front) as unknown;
    const title = typeof fields === "object" && fields !== null && "title" in fields ? fields.title : undefined;
    return typeof title === "string" || typeof title === "number" ? String(title).trim() || undefined : undefined;
  } catch {
    // What looks like front matter and is none is text.
    return undefined;
  }
}

/** `# Title` or `Title` underlined with `=`, outside code. */
function titleOfHeading(body: string): string | undefined {
  const prose = body.replaceAll(/^ {0,3}(`{3,}|~{3,})[\s\S]*?^ {0,3}\1[`~]*[ \t]*$/gm, "");
  const heading = /^ {0,3}# +(.+?)(?: +#+)? *$|^(.*\S.*)\n=+ *$/m.exec(prose);
  const title = (heading?.[1] ?? heading?.[2])?.replaceAll(/[*`]|\[([^\]]*)\]\([^)]*\)/g, "$1").trim();
  return title === "" ? undefined : title;
}

/** `winter-storage.md` -> `winter storage` */
function titleOfName(id: string): string {
  const name = id.slice(id.lastIndexOf("/") + 1);
  return (
    name
      .slice(0, name.length - extname(name).length)
      .replaceAll(/[-_]+/g, " ")
      .trim() || name
  );
}
