// Markdown and plain text: they stay as they are, but for line ends; form feeds are page breaks. And the title of a Markdown text.
import { parse as parseYaml } from "yaml";
import { type Converted, PAGE_BREAK, withPages } from "./converted.ts";

/** The title is the front matter's, else the first heading of the first level. */
export function markdownDocument(text: string): Converted {
  const title = titleOfMarkdown(text);
  return { text, ...(title !== undefined && { title }) };
}

export function plainDocument(text: string): Converted {
  return withPages(text.replaceAll("\f", PAGE_BREAK));
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
export function titleOfHeading(body: string): string | undefined {
  const prose = body.replaceAll(/^ {0,3}(`{3,}|~{3,})[\s\S]*?^ {0,3}\1[`~]*[ \t]*$/gm, "");
  const heading = /^ {0,3}# +(.+?)(?: +#+)? *$|^(.*\S.*)\n=+ *$/m.exec(prose);
  const title = (heading?.[1] ?? heading?.[2])?.replaceAll(/[*`]|\[([^\]]*)\]\([^)]*\)/g, "$1").trim();
  return title === "" ? undefined : title;
}
