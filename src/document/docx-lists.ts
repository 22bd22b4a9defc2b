// Which paragraphs of a Word document are headings and list items, and how they are numbered (ECMA-376, part 1, sections 17.7 and 17.9).
import { isOn } from "./office.ts";
import { childOf, elementsOf, type XmlElement } from "./xml.ts";

export interface ParagraphRole {
  /** 1-6. */
  readonly heading?: number;
  /** Depth from 0, and its number as the document shows it; without a number it is a bullet. */
  readonly item?: { readonly depth: number; readonly number?: string };
}

interface Style {
  readonly name: string;
  readonly basedOn: string | undefined;
  readonly properties: XmlElement | undefined;
}

interface Level {
  readonly format: string;
  /** `%1.%2.` */
  readonly text: string;
  readonly start: number;
}

const value = (element: XmlElement | undefined, ...path: readonly string[]): string | undefined =>
  childOf(element, ...path)?.attributes["w:val"];

/** Tells each paragraph's role. Ask in document order: numbers are counted. */
export function paragraphRoles(
  stylesRoot: XmlElement | undefined,
  numberingRoot: XmlElement | undefined,
): (properties: XmlElement | undefined) => ParagraphRole {
  const styles = stylesOf(stylesRoot);
  const lists = listsOf(numberingRoot);
  const counters = new Map<string, number[]>();
  return (properties) => {
    const chain = styleChain(styles, value(properties, "w:pStyle"));
    const all = [properties, ...chain.map((style) => style.properties)];
    const heading = headingOf(chain, all);
    const numbered = all.map((one) => childOf(one, "w:numPr")).find((one) => one !== undefined);
    const list = numbered && numberOf({ numbered, all, lists, counters, style: value(properties, "w:pStyle") });
    return { ...(heading !== undefined && { heading }), ...(list && { item: list }) };
  };
}

function stylesOf(root: XmlElement | undefined): ReadonlyMap<string, Style> {
  const found = root === undefined ? [] : elementsOf(root, "w:style");
  return new Map(
    found.map((style) => [
      style.attributes["w:styleId"] ?? "",
      { name: (value(style, "w:name") ?? "").toLowerCase(), basedOn: value(style, "w:basedOn"), properties: childOf(style, "w:pPr") },
    ]),
  );
}

function styleChain(styles: ReadonlyMap<string, Style>, id: string | undefined): Style[] {
  const chain = new Set<Style>();
  for (let style = styles.get(id ?? ""); style !== undefined && !chain.has(style); style = styles.get(style.basedOn ?? ""))
    chain.add(style);
  return [...chain];
}

function headingOf(chain: readonly Style[], all: readonly (XmlElement | undefined)[]): number | undefined {
  const outline = all.map((one) => value(one, "w:outlineLvl")).find((one) => one !== undefined);
  if (outline !== undefined) return Number(outline) < 9 ? Math.min(6, Number(outline) + 1) : undefined;
  // Word names its own styles in English whatever its language.
  const named = chain.map(({ name }) => /^heading ([1-9])$/.exec(name)?.[1]).find((level) => level !== undefined);
  if (named !== undefined) return Math.min(6, Number(named));
  return chain[0]?.name === "title" ? 1 : undefined;
}

function listsOf(root: XmlElement | undefined): ReadonlyMap<string, { readonly abstract: string; readonly levels: readonly Level[] }> {
  if (root === undefined) return new Map();
  const abstracts = new Map(elementsOf(root, "w:abstractNum").map((one) => [one.attributes["w:abstractNumId"] ?? "", levelsOf(one)]));
  return new Map(
    elementsOf(root, "w:num").map((one) => {
      const abstract = value(one, "w:abstractNumId") ?? "";
      const levels = [...(abstracts.get(abstract) ?? [])];
      let own = abstract;
      for (const change of elementsOf(one, "w:lvlOverride")) {
        const at = Number(change.attributes["w:ilvl"]);
        const start = value(change, "w:startOverride");
        if (start === undefined || levels[at] === undefined) continue;
        levels[at] = { ...levels[at], start: Number(start) };
        // Started anew, it counts by itself.
        own = `${abstract}/${one.attributes["w:numId"]}`;
      }
      return [one.attributes["w:numId"] ?? "", { abstract: own, levels }];
    }),
  );
}

function levelsOf(abstract: XmlElement): Level[] {
  const levels: Level[] = [];
  for (const one of elementsOf(abstract, "w:lvl")) {
    const at = Math.min(8, Number(one.attributes["w:ilvl"] ?? 0));
    levels[at] = {
      format: value(one, "w:numFmt") ?? "bullet",
      text: value(one, "w:lvlText") ?? "",
      start: Number(value(one, "w:start") ?? 1),
    };
  }
  return levels;
}

interface NumberOf {
  readonly numbered: XmlElement;
  readonly all: readonly (XmlElement | undefined)[];
  readonly lists: ReturnType<typeof listsOf>;
  readonly counters: Map<string, number[]>;
  readonly style: string | undefined;
}

function numberOf({ numbered, all, lists, counters }: NumberOf): ParagraphRole["item"] {
  const find = (name: string): string | undefined => all.map((one) => value(one, "w:numPr", name)).find((one) => one !== undefined);
  const list = lists.get(value(numbered, "w:numId") ?? find("w:numId") ?? "");
  const depth = Math.min(8, Number(value(numbered, "w:ilvl") ?? find("w:ilvl") ?? 0));
  const level = list?.levels[depth];
  if (list === undefined || level === undefined) return undefined;
  if (level.format === "bullet" || level.format === "none") return { depth };
  const counts = counters.get(list.abstract) ?? [];
  counters.set(list.abstract, counts);
  counts[depth] = (counts[depth] ?? level.start - 1) + 1;
  counts.length = depth + 1;
  const number = level.text.replaceAll(/%([1-9])/g, (_, digit: string) => {
    const at = Number(digit) - 1;
    return numeral(list.levels[at]?.format, counts[at] ?? list.levels[at]?.start ?? 1);
  });
  return { depth, number };
}

const romans = [
  [1000, "m"],
  [900, "cm"],
  [500, "d"],
  [400, "cd"],
  [100, "c"],
  [90, "xc"],
  [50, "l"],
  [40, "xl"],
  [10, "x"],
  [9, "ix"],
  [5, "v"],
  [4, "iv"],
  [1, "i"],
] as const;

function roman(count: number): string {
  let [text, left] = ["", Math.min(count, 3999)];
  for (const [worth, letters] of romans)
    while (left >= worth) {
      text += letters;
      left -= worth;
    }
  return text;
}

/** 1 -> a, 27 -> aa, as Word counts. */
const letter = (count: number): string => String.fromCharCode(97 + ((count - 1) % 26)).repeat(Math.min(20, Math.ceil(count / 26)));

const numerals: { readonly [format: string]: (count: number) => string } = {
  lowerLetter: letter,
  upperLetter: (count) => letter(count).toUpperCase(),
  lowerRoman: roman,
  upperRoman: (count) => roman(count).toUpperCase(),
};

function numeral(format: string | undefined, count: number): string {
  return numerals[format ?? ""]?.(Math.max(1, count)) ?? String(count);
}

/** Text properties that Markdown can show. */
export function emphasisOf(properties: XmlElement | undefined): "" | "*" | "**" {
  if (isOn(childOf(properties, "w:b"))) return "**";
  return isOn(childOf(properties, "w:i")) ? "*" : "";
}
