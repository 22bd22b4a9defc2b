// A web page as Markdown: which part of it is the content, and its title. What is in doubt is kept: a menu in the text does less
// harm than a paragraph that is missing.
import { type Converted } from "./converted.ts";
import { firstDate } from "./date.ts";
import { words } from "../util/words.ts";
import { all, childrenOf, parsePage, tagOf } from "./dom.ts";
import type { Element } from "./dom.ts";
import { markdownOf } from "./markdown-of.ts";

/** Never shown as text, wherever it stands. */
const machinery = "script, style, noscript, template, svg, canvas, iframe, object, audio, video, link, meta, title, head";
/** Ways about the site, not what it says. */
const navigation =
  'nav, [role="navigation"], [role="banner"], [role="contentinfo"], [role="search"], [role="menu"], [role="menubar"], [hidden], [aria-hidden="true"]';
/** The same by the names that pages without such elements give them: only whole names, only outside the content. */
const namedNavigation = [
  "nav",
  "navbar",
  "navigation",
  "menu",
  "sidebar",
  "footer",
  "header",
  "breadcrumb",
  "breadcrumbs",
  "skip-link",
  "cookie-banner",
  "pagination",
]
  .flatMap((name) => [`#${name}`, `div.${name}`, `ul.${name}`, `ol.${name}`, `a.${name}`, `p.${name}`])
  .join(", ");
const content = 'main, article, [role="main"]';

/** Where pages say when they were changed: Open Graph, schema.org, and the names that came before. */
const changed = [
  '[property="article:modified_time"]',
  '[property="og:updated_time"]',
  '[itemprop="dateModified"]',
  '[name="last-modified" i]',
  '[name="dcterms.modified" i]',
  '[name="date" i]',
].map((attribute) => `meta${attribute}`);

/**
 * The content of a page as Markdown, its title (the first heading of the first level, else what `<title>` says) and when it says it was
 * changed. The same page always gives the same text.
 */
export function htmlToMarkdown(html: string): Converted {
  const root = parsePage(html);
  const declared = clean(root.querySelector("title")?.textContent ?? "");
  const date = firstDate(...changed.map((selector) => root.querySelector(selector)?.getAttribute("content") ?? undefined));
  for (const element of all(root, machinery)) element.remove();
  const whole = markdownOf(root);
  removeNavigation(root);
  const text = contentOf(root, whole);
  const heading = /^# (.+)$/m.exec(text)?.[1];
  const title = heading === undefined ? declared : clean(heading.replaceAll(/[*`]/g, ""));
  return { text, ...date, ...(title !== "" && { title }) };
}

function clean(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

function removeNavigation(root: Element): void {
  const hidden = all(root, "[style]").filter((element) =>
    /display\s*:\s*none|visibility\s*:\s*hidden/i.test(element.getAttribute("style") ?? ""),
  );
  // Boxes of related links within the content say something; its menus do not.
  const ways = all(root, navigation).filter(
    (element) => element.getAttribute("role") !== "navigation" || tagOf(element) === "nav" || element.closest(content) === null,
  );
  for (const element of [...ways, ...hidden]) element.remove();
  for (const element of all(root, `header, footer, ${namedNavigation}`)) {
    if (element.closest(content) !== null || element.querySelector(content) !== null) continue;
    // A page may keep its only main heading in its header.
    const headings = all(element, "h1");
    if (headings.length > 0 && headings.length === all(root, "h1").length) keepOnly(element, headings);
    else element.remove();
  }
}

function keepOnly(element: Element, kept: readonly Element[]): void {
  for (const child of childrenOf(element)) {
    const holds = kept.some((one) => one === child || isAbove(child as Element, one));
    if (holds && !kept.includes(child as Element)) keepOnly(child as Element, kept);
    else if (!holds) (child as Element).remove();
  }
}

function isAbove(element: Element, inner: Element): boolean {
  for (let above = inner.parentNode; above !== null; above = above.parentNode) if (above === element) return true;
  return false;
}

/**
 * What the page marks as its content, where that holds most of what is left; else all that is left; else the whole page. A main
 * heading above the marked content is kept.
 */
function contentOf(root: Element, whole: string): string {
  const left = markdownOf(root);
  const marked = all(root, content).filter(
    (element) => element.parentNode === null || (element.parentNode as Element).closest(content) === null,
  );
  const texts = marked.map(markdownOf);
  const inside = texts.filter((text) => text !== "").join("\n\n");
  const size = words(inside).length;
  if (size > 0 && size >= words(left).length / 2) {
    const heading = all(root, "h1").find((element) => element.closest(content) === null);
    return heading === undefined || marked.some((element) => element.querySelector("h1") !== null)
      ? inside
      : `${markdownOf(wrap(heading))}\n\n${inside}`;
  }
  return left === "" ? whole : left;
}

/** A heading's parent would bring its neighbours: a page of its own holds it alone. */
function wrap(heading: Element): Element {
  const alone = parsePage(`<${tagOf(heading)}></${tagOf(heading)}>`);
  const target = alone.querySelector(tagOf(heading)) as Element & { textContent: string };
  target.textContent = heading.textContent ?? "";
  return alone;
}
