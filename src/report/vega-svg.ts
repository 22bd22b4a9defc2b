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

/** The chart as an `svg` element that is hidden from assistive technology: its figure says the same in words. Vega is loaded on first use. */
export async function vegaSvg(specification: Specification): Promise<string> {
  const [vega, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  const view = new vega.View(vega.parse(compile(specification, { logger: vega.logger(vega.Error) }).spec), {
    renderer: "none",
    logLevel: vega.Error,
  });
  try {
    const svg = await view.toSVG();
    return svg.replace(/<svg[^>]*? width="(\d+)"[^>]*?viewBox="([^"]*)"[^>]*>/u, '<svg width="$1" viewBox="$2" aria-hidden="true">');
  } finally {
    view.finalize();
  }
}
