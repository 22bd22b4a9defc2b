// A tree of HTML elements as Markdown. Characters stay as they are read (nothing is escaped but | in tables): passages are searched
// and quoted, not rendered. Knows nothing of what part of a page matters.
import { all, childrenOf, isElement, isText, tagOf } from "./dom.ts";
import type { Element, Node } from "./dom.ts";
import { tableOf } from "./table-of.ts";

/** The element's content as Markdown blocks, one empty line between them. */
export function markdownOf(element: Element): string {
  return blocksOf(element).join("\n\n");
}

const blockTags = new Set(
  (
    "address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 " +
    "header hgroup hr html li legend main menu nav ol p pre section summary table tbody td tfoot th thead tr ul caption"
  ).split(" "),
);

type Render = (element: Element) => string[];

/** Elements that are not simply what they hold. */
const blockRules: { readonly [tag: string]: Render } = {
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((level) => [`h${level}`, headingOf(level)])),
  ul: listOf(() => "- "),
  menu: listOf(() => "- "),
  dir: listOf(() => "- "),
  ol: listOf((index, list) => `${Number.parseInt(list.getAttribute("start") ?? "1", 10) + index}. `),
  dl: definitionsOf,
  pre: codeOf,
  blockquote: (element) =>
    [
      markdownOf(element)
        .replaceAll(/^(?=.)/gm, "> ")
        .replaceAll(/^$/gm, ">"),
    ].filter((text) => text !== ">"),
  hr: () => ["---"],
  table: (element) => tableOf(element, blocksOf),
};

/** The blocks of an element's children: runs of inline content become paragraphs. */
function blocksOf(element: Element): string[] {
  const blocks: string[] = [];
  let run = "";
  const endRun = (): void => {
    const paragraph = tidy(run);
    if (paragraph !== "") blocks.push(paragraph);
    run = "";
  };
  for (const child of childrenOf(element)) {
    if (isElement(child) && holdsBlocks(child)) {
      endRun();
      blocks.push(...(blockRules[tagOf(child)]?.(child) ?? blocksOf(child)));
    } else run += inlineOf(child);
  }
  endRun();
  return blocks;
}

/** A link or a span may hold blocks too. */
function holdsBlocks(element: Element): boolean {
  return blockTags.has(tagOf(element)) || childrenOf(element).some((child) => isElement(child) && holdsBlocks(child));
}

const around =
  (mark: string) =>
  (text: string): string => {
    const inner = text.trim();
    // Marks belong to the word: spaces at the edges go outside them.
    return inner === "" ? text : text.replace(inner, () => `${mark}${inner}${mark}`);
  };

const inlineRules: { readonly [tag: string]: (text: string, element: Element) => string } = {
  br: () => "\n",
  wbr: () => "",
  b: around("**"),
  strong: around("**"),
  i: around("*"),
  em: around("*"),
  code: around("`"),
  kbd: around("`"),
  samp: around("`"),
  del: around("~~"),
  s: around("~~"),
  q: (text) => `"${text}"`,
  a: linkOf,
  img: imageOf,
  input: () => "",
  select: () => "",
  textarea: () => "",
};

function inlineOf(node: Node): string {
  if (isText(node)) return plain(node.textContent ?? "").replaceAll(/[ \t\r\n\f]+/g, " ");
  if (!isElement(node)) return "";
  const text = childrenOf(node).map(inlineOf).join("");
  return inlineRules[tagOf(node)]?.(text, node) ?? text;
}

/** Non-breaking spaces as spaces; characters that are not seen (soft hyphens, zero-width spaces) gone: both would hide words from a search. */
function plain(text: string): string {
  return text.replaceAll("\u00a0", " ").replaceAll(/[\u00ad\u200b\ufeff]/g, "");
}

function tidy(run: string): string {
  return run
    .replaceAll(/ +/g, " ")
    .replaceAll(/ ?\n ?/g, "\n")
    .trim();
}

/** A target is kept where it says something outside the site; a relative one is of no use in a passage. */
function linkOf(text: string, element: Element): string {
  const target = element.getAttribute("href") ?? "";
  const label = text.trim();
  if (label === "" || !/^(https?:|mailto:|tel:)/i.test(target)) return text;
  return text.replace(label, () => (target === label ? label : `[${label}](${target})`));
}

function imageOf(_text: string, element: Element): string {
  const description = plain(element.getAttribute("alt") ?? "").trim();
  return description === "" ? "" : `![${description}]`;
}

function headingOf(level: number): Render {
  return (element) => {
    const text = blocksOf(element).join(" ").replaceAll(/\s+/g, " ");
    return text === "" ? [] : [`${"#".repeat(level)} ${text}`];
  };
}

function listOf(marker: (index: number, list: Element) => string): Render {
  return (list) => {
    const items: string[] = [];
    for (const child of childrenOf(list)) {
      const isItem = isElement(child) && tagOf(child) === "li";
      const blocks = isItem
        ? blocksOf(child)
        : isElement(child)
          ? looseBlocks(child)
          : [tidy(inlineOf(child))].filter((text) => text !== "");
      if (blocks.length === 0) continue;
      const mark = marker(items.length, list);
      // A list that stands in the list itself and not in an item belongs to the item before it.
      if (!isItem && items.length > 0) items[items.length - 1] += `\n${indent(blocks.join("\n"), mark.length)}`;
      else items.push(itemOf(blocks, mark));
    }
    return items.length === 0 ? [] : [items.join("\n")];
  };
}

function looseBlocks(element: Element): string[] {
  return holdsBlocks(element)
    ? (blockRules[tagOf(element)]?.(element) ?? blocksOf(element))
    : [tidy(inlineOf(element))].filter((text) => text !== "");
}

const listStart = /^(- |\d+\. )/;

function itemOf(blocks: readonly string[], mark: string): string {
  const [first = "", ...rest] = blocks;
  const more = rest.map((block) => `${listStart.test(block) ? "\n" : "\n\n"}${indent(block, mark.length)}`);
  return mark + indent(first, mark.length).trimStart() + more.join("");
}

function indent(text: string, width: number): string {
  return text.replaceAll(/^(?=.)/gm, " ".repeat(width));
}

/** Terms and what they mean, a line each: `**Grace**: Ten minutes`. */
function definitionsOf(element: Element): string[] {
  const blocks: string[] = [];
  let terms: string[] = [];
  for (const part of all(element, "dt, dd").filter((one) => one.closest("dl") === element)) {
    const inner = blocksOf(part);
    if (tagOf(part) === "dt") terms.push(`**${inner.join(" ")}**`);
    else {
      const [first = "", ...rest] = inner;
      blocks.push(terms.length === 0 ? first : `${terms.join(", ")}: ${first}`, ...rest);
      terms = [];
    }
  }
  return [...blocks, ...terms];
}

function codeOf(element: Element): string[] {
  const code = (element.textContent ?? "").replaceAll("\r\n", "\n").replace(/^\n/, "").trimEnd();
  if (code.trim() === "") return [];
  const named = [element, ...all(element, "code")].map((one) => one.getAttribute("class") ?? "").join(" ");
  const language = /\blang(?:uage)?-([\w+#-]+)/.exec(named)?.[1] ?? "";
  const longest = Math.max(2, ...(code.match(/`{3,}/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return [`${fence}${language}\n${code}\n${fence}`];
}
