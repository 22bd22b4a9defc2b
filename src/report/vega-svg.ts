// A Vega-Lite specification as SVG text for a page, without a DOM. Colours are the page's own variables, so light and dark need one drawing.
import type { TopLevelSpec } from "vega-lite";

export type Specification = TopLevelSpec;

/** Colours by meaning; the page's style gives them their values. */
export const colour = {
  ink: "var(--ink)",
  quiet: "var(--quiet)",
  faint: "var(--faint)",
  line: "var(--line)",
  accent: "var(--accent)",
  paper: "var(--paper)",
} as const;

/** What the page's light style and a drawing that stands alone give those colours. */
export const lightColours: { readonly [C in keyof typeof colour]: string } = {
  ink: "#1b1d22",
  quiet: "#5a606b",
  faint: "#a9a69c",
  line: "#dedad0",
  accent: "#8a3420",
  paper: "#fbfaf7",
};

const axis = {
  labelColor: colour.quiet,
  titleColor: colour.quiet,
  titleFontWeight: "normal",
  gridColor: colour.line,
  domain: false,
  ticks: false,
  labelPadding: 8,
  titlePadding: 12,
  labelFontSize: 12,
  titleFontSize: 12,
} as const;

/** Settings that all charts share: no frame, thin lines, the page's font. */
export const chartConfig = { aria: false, background: "transparent", font: "inherit", axis, view: { stroke: null }, padding: 4 } as const;

/** The chart as an `svg` element that is hidden from assistive technology: its figure says the same in words. */
export async function vegaSvg(specification: Specification): Promise<string> {
  const svg = await draw(specification);
  return svg.replace(/<svg[^>]*? width="(\d+)"[^>]*?viewBox="([^"]*)"[^>]*>/u, '<svg width="$1" viewBox="$2" aria-hidden="true">');
}

/** The chart as an SVG file of its own, in light colours on paper, with `title` for those who cannot see it. */
export async function vegaSvgFile(specification: Specification, title: string): Promise<string> {
  const svg = await draw({
    ...specification,
    background: colour.paper,
    config: { ...chartConfig, font: "system-ui, sans-serif" },
  } as Specification);
  const escaped = title.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return svg
    .replace(/<svg[^>]*>/u, (opening) => `${opening}<title>${escaped}</title>`)
    .replaceAll(/var\(--(\w+)\)/gu, (_, name: keyof typeof lightColours) => lightColours[name]);
}

/** Vega is loaded on first use. */
async function draw(specification: Specification): Promise<string> {
  const [vega, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  const view = new vega.View(vega.parse(compile(specification, { logger: vega.logger(vega.Error) }).spec), {
    renderer: "none",
    logLevel: vega.Error,
  });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
