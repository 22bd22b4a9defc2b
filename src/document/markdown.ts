// Markdown and plain text: they stay as they are, but for line ends; form feeds are page breaks. And titles: of a text, of a file's name.
import { extname } from "node:path";
import { parse as parseYaml } from "yaml";
import { firstDate } from "./date.ts";
import { type Converted, PAGE_BREAK, withPages } from "./converted.ts";

/** The title is the front matter's, else the first heading of the first level; the date the front matter's. */
export function markdownDocument(text: string): Converted {
  const front = /^---\n([\s\S]*?\n)?(?:---|\.\.\.)[ \t]*(?:\n|$)/.exec(text);
  const fields = fieldsOf(front?.[1] ?? "");
  const title = fields("title") ?? titleOfHeading(front === null ? text : text.slice(front[0].length));
  return { text, ...(title !== undefined && { title }), ...firstDate(...["modified", "updated", "lastmod", "date"].map(fields)) };
}

export function plainDocument(text: string): Converted {
  return withPages(text.replaceAll("\f", PAGE_BREAK));
}

/** The values of a front matter's fields as text. */
function fieldsOf(front: string): (name: string) => string | undefined {
  try {
    const fields = parseYaml(front) as unknown;
    return (name) => {
      const value =
        typeof fields === "object" && fields !== null && Object.hasOwn(fields, name)
          ? (fields as { [name: string]: unknown })[name]
          : undefined;
      return typeof value === "string" || typeof value === "number" ? String(value).trim() || undefined : undefined;
    };
  } catch {
    // What looks like front matter and is none is text.
    return () => undefined;
  }
}

/** A heading is no longer than this: patterns over longer lines may take for ever. */
const LONGEST_HEADING = 500;

/** `# Title` or `Title` underlined with `=`, outside code. */
export function titleOfHeading(body: string): string | undefined {
  let fence: string | undefined;
  let previous = "";
  for (const line of body.matchAll(/^.*$/gm)) {
    const text = line[0].length > LONGEST_HEADING ? "" : line[0];
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(text)?.[1];
    if (fence !== undefined) {
      if (mark?.startsWith(fence) === true) fence = undefined;
    } else if (mark !== undefined) fence = mark;
    else {
      const heading = /^ {0,3}# +(.+?)(?: +#+)? *$/.exec(text)?.[1] ?? (/^=+ *$/.test(text) ? previous : "");
      const title = heading.replaceAll(/[*`]|\[([^\]]*)\]\([^)]*\)/g, "$1").trim();
      if (title !== "") return title;
      previous = text;
    }
  }
  return undefined;
}

/** `winter-storage.md` -> `winter storage` */
export function titleOfName(id: string): string {
  const name = id.slice(id.lastIndexOf("/") + 1);
  return (
    name
      .slice(0, name.length - extname(name).length)
      .replaceAll(/[-_]+/g, " ")
      .trim() || name
  );
}
