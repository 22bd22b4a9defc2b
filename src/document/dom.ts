// The little of the DOM that reading a page needs. Knows nothing of Markdown.
import { parseHTML } from "linkedom";

export interface Node {
  readonly nodeType: number;
  readonly textContent: string | null;
  readonly parentNode: Node | null;
  readonly childNodes: ArrayLike<Node>;
}

export interface Element extends Node {
  readonly tagName: string;
  readonly children: ArrayLike<Element>;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): ArrayLike<Element>;
  closest(selector: string): Element | null;
  remove(): void;
}

/** The root element of a page, or of a piece of one. */
export function parsePage(html: string): Element {
  // Without <html> and <body> the parser would take the first element for the root and lose the rest.
  const whole = /<html[\s>]/i.test(html) ? html : `<!doctype html><html>${/<body[\s>]/i.test(html) ? html : `<body>${html}</body>`}</html>`;
  const { document } = parseHTML(whole) as unknown as { document: { documentElement: Element } };
  return document.documentElement;
}

export const isText = (node: Node): boolean => node.nodeType === 3 || node.nodeType === 4;

export function isElement(node: Node): node is Element {
  return node.nodeType === 1;
}

/** Lower-case tag name: `p`, `h1`. */
export function tagOf(element: Element): string {
  return element.tagName.toLowerCase();
}

export function childrenOf(node: Node): Node[] {
  return Array.from(node.childNodes);
}

/** All descendants that match, in document order. */
export function all(element: Element, selector: string): Element[] {
  return Array.from(element.querySelectorAll(selector));
}
