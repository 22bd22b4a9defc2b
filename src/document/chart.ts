// A chart of an Office document as what it shows: its title, its kind, its figures as a table (ECMA-376, part 1, section 21.2).
import { cellText, tableLines } from "./grid.ts";
import { childOf, descendantsOf, elementsOf, textOf, type XmlElement } from "./xml.ts";

/** More points than this are a drawing, not figures to be read. */
const MOST_POINTS = 10_000;

/** The blocks of a chart part. */
export function chartBlocks(root: XmlElement): string[] {
  const chart = childOf(root, "c:chart");
  const plots = chart === undefined ? [] : elementsOf(childOf(chart, "c:plotArea") ?? chart).filter(({ name }) => /^c:.+Chart$/.test(name));
  const title = chart && childOf(chart, "c:title");
  const heading = title === undefined ? "" : descendantsOf(title, "a:t").map(textOf).join("").trim();
  const kinds = plots.map(({ name }) => kindOf(name));
  const table = tableOf(plots.flatMap((plot) => elementsOf(plot, "c:ser")));
  return [heading, kinds.join(", "), table].filter((block) => block !== "");
}

/** `c:bar3DChart` -> `Bar chart` */
function kindOf(name: string): string {
  const kind = name.slice(2, -"Chart".length).replace(/3D$/, "");
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)} chart`;
}

interface Series {
  readonly name: string;
  readonly categories: ReadonlyMap<number, string>;
  readonly values: ReadonlyMap<number, string>;
}

function tableOf(elements: readonly XmlElement[]): string {
  const series = elements.map((element): Series => ({
    name: childOf(element, "c:tx") === undefined ? "" : [...pointsOf(childOf(element, "c:tx")).values()].join(" "),
    categories: pointsOf(childOf(element, "c:cat") ?? childOf(element, "c:xVal")),
    values: pointsOf(childOf(element, "c:val") ?? childOf(element, "c:yVal")),
  }));
  const indexes = [...new Set(series.flatMap(({ values, categories }) => [...categories.keys(), ...values.keys()]))].sort((a, b) => a - b);
  if (indexes.length === 0 || indexes.length * series.length > MOST_POINTS) return "";
  const labels = series[0]!.categories;
  const rows = indexes.map((index) => [labels.get(index) ?? "", ...series.map(({ values }) => values.get(index) ?? "")]);
  return tableLines([["", ...series.map(({ name }) => name)], ...rows].map((row) => row.map(cellText)));
}

/** Cached points by index; several levels of categories are joined. */
function pointsOf(element: XmlElement | undefined): Map<number, string> {
  const points = new Map<number, string>();
  for (const point of element === undefined ? [] : descendantsOf(element, "c:pt")) {
    const index = Number(point.attributes["idx"]);
    const value = textOf(childOf(point, "c:v"));
    points.set(index, points.has(index) ? `${value} ${points.get(index)}` : value);
  }
  const direct = childOf(element, "c:v");
  if (points.size === 0 && direct !== undefined) points.set(0, textOf(direct));
  return points;
}
