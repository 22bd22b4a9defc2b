// XML as a tree, as far as office documents and books need it. Declares no entities, so none can grow; knows no format.
import { Parser } from "htmlparser2";
import { decodeText } from "./encoding.ts";
import { type Limits, Unreadable } from "./limits.ts";

export interface XmlElement {
  /** With the prefix that {@link prefixes} gives its namespace, whatever the file calls it: `w:p`. */
  readonly name: string;
  /** By name, prefixed as elements are. */
  readonly attributes: { readonly [name: string]: string };
  readonly children: readonly XmlNode[];
}

export type XmlNode = XmlElement | string;

/** Ends of the addresses of namespaces, and the prefix that stands for each: strict and transitional documents differ in what is before. */
const prefixes: readonly (readonly [end: string, prefix: string])[] = [
  ["/wordprocessingml/2006/main", "w"],
  ["/wordprocessingml/main", "w"],
  ["/word/2010/wordml", "w14"],
  ["/word/2010/wordprocessingShape", "wps"],
  ["/officeDocument/2006/math", "m"],
  ["/officeDocument/math", "m"],
  ["/drawingml/2006/wordprocessingDrawing", "wp"],
  ["/drawingml/wordprocessingDrawing", "wp"],
  ["/drawingml/2006/main", "a"],
  ["/drawingml/main", "a"],
  ["/drawingml/2006/chart", "c"],
  ["/drawingml/chart", "c"],
  ["/drawingml/2006/diagram", "dgm"],
  ["/drawingml/2006/spreadsheetDrawing", "xdr"],
  ["/presentationml/2006/main", "p"],
  ["/presentationml/main", "p"],
  ["/spreadsheetml/2006/main", "x"],
  ["/spreadsheetml/main", "x"],
  ["/officeDocument/2006/relationships", "r"],
  ["/officeDocument/relationships", "r"],
  ["/package/2006/relationships", "rel"],
  ["/markup-compatibility/2006", "mc"],
  ["schemas-microsoft-com:vml", "v"],
  ["opendocument:xmlns:office:1.0", "office"],
  ["opendocument:xmlns:text:1.0", "text"],
  ["opendocument:xmlns:table:1.0", "table"],
  ["opendocument:xmlns:drawing:1.0", "draw"],
  ["opendocument:xmlns:presentation:1.0", "presentation"],
  ["opendocument:xmlns:manifest:1.0", "manifest"],
  ["opendocument:xmlns:container", "container"],
  ["/2007/opf", "opf"],
  ["purl.org/dc/elements/1.1/", "dc"],
  ["purl.org/dc/terms/", "dcterms"],
  ["/2001/04/xmlenc#", "enc"],
];

const prefixOf = (address: string): string | undefined => prefixes.find(([end]) => address.endsWith(end))?.[1];

type Scope = ReadonlyMap<string, string>;

export interface XmlEvents {
  readonly open: (name: string, attributes: XmlElement["attributes"]) => void;
  readonly close: (name: string) => void;
  readonly text: (text: string) => void;
}

/**
 * Reads XML piece by piece. Throws Unreadable for a document type that declares something (what a billion laughs is made of) and for
 * elements that are nested too deeply.
 */
export function readXml(bytes: Uint8Array, limits: Limits, events: XmlEvents): void {
  const scopes: Scope[] = [new Map()];
  const rename = (name: string, scope: Scope, attribute: boolean): string => {
    const colon = name.indexOf(":");
    if (colon < 0 && attribute) return name;
    const prefix = scope.get(colon < 0 ? "" : name.slice(0, colon));
    return prefix === undefined ? name : `${prefix}:${name.slice(colon + 1)}`;
  };
  const names: string[] = [];
  const parser = new Parser(
    {
      onopentag: (name, found) => {
        if (names.length >= limits.nesting)
          throw new Unreadable(`nests its elements more than ${limits.nesting} deep. Save it again with the program that made it.`);
        const scope = scopeOf(found, scopes.at(-1)!);
        scopes.push(scope);
        const own = rename(name, scope, false);
        names.push(own);
        events.open(own, Object.fromEntries(Object.entries(found).map(([key, value]) => [rename(key, scope, true), value])));
      },
      onclosetag: () => {
        scopes.pop();
        events.close(names.pop()!);
      },
      ontext: events.text,
      onprocessinginstruction: (name, data) => {
        if (/^!doctype/i.test(name) && data.includes("["))
          throw new Unreadable("declares entities of its own, which no document of its kind needs. Do not trust it.");
      },
    },
    { xmlMode: true },
  );
  parser.end(decodeText(bytes, (head) => /^<\?xml[^>]+encoding\s*=\s*["']([\w-]+)/.exec(head)?.[1]).text);
}

function scopeOf(found: { readonly [name: string]: string }, outer: Scope): Scope {
  const declared = Object.entries(found).filter(([name]) => name === "xmlns" || name.startsWith("xmlns:"));
  if (declared.length === 0) return outer;
  const scope = new Map(outer);
  for (const [name, address] of declared) {
    const prefix = prefixOf(address);
    if (prefix === undefined) scope.delete(name.slice(6));
    else scope.set(name.slice(6), prefix);
  }
  return scope;
}

/** The root element. Throws Unreadable as {@link readXml} does, and when there is none. */
export function parseXml(bytes: Uint8Array, limits: Limits): XmlElement {
  const root: Growing = { name: "", attributes: {}, children: [] };
  const open: Growing[] = [root];
  readXml(bytes, limits, {
    open: (name, attributes) => {
      const element: Growing = { name, attributes, children: [] };
      open.at(-1)!.children.push(element);
      open.push(element);
    },
    close: () => void open.pop(),
    text: (text) => {
      const { children } = open.at(-1)!;
      const last = children.at(-1);
      // Texts come in pieces around entities.
      if (typeof last === "string") children[children.length - 1] = last + text;
      else children.push(text);
    },
  });
  const element = root.children.find((child) => typeof child !== "string");
  if (element === undefined) throw new Unreadable("holds a part that is no XML. Save it again with the program that made it.");
  return element;
}

interface Growing {
  readonly name: string;
  readonly attributes: XmlElement["attributes"];
  readonly children: (Growing | string)[];
}

export const isXmlElement = (node: XmlNode): node is XmlElement => typeof node !== "string";

export function elementsOf({ children }: XmlElement, name?: string): XmlElement[] {
  const elements = children.filter(isXmlElement);
  return name === undefined ? elements : elements.filter((child) => child.name === name);
}

/** The element that a path of names leads to, the first at each step. */
export function childOf(element: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((parent, name) => parent && elementsOf(parent, name)[0], element);
}

/** All descendants of a name, in document order. */
export function descendantsOf(element: XmlElement, name: string): XmlElement[] {
  return elementsOf(element).flatMap((child) => (child.name === name ? [child] : []).concat(descendantsOf(child, name)));
}

export function textOf(element: XmlElement | undefined): string {
  return element?.children.map((child) => (typeof child === "string" ? child : textOf(child))).join("") ?? "";
}
