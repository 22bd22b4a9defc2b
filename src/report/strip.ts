// Intervals as small drawings inside table cells. Positions are percentages, so a drawing is as wide as its cell and its lines stay thin.
import { html, type Markup, nothing } from "./markup.ts";

export interface Band {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface StripScale {
  readonly low: number;
  readonly high: number;
}

/** A scale that holds every band and the values in `also`, with a little air at both ends. */
export function stripScale(bands: readonly Band[], also: readonly number[] = []): StripScale {
  const low = Math.min(...bands.map((band) => band.low), ...also);
  const high = Math.max(...bands.map((band) => band.high), ...also);
  const air = (high - low) * 0.04 || 0.5;
  return { low: low - air, high: high + air };
}

const at = ({ low, high }: StripScale, value: number): string => `${(((value - low) / (high - low)) * 100).toFixed(2)}%`;

export interface Lines {
  readonly zero?: number;
  readonly edges?: readonly number[];
}

/** Decoration: the cell beside it says the same in figures. */
export function strip(band: Band | undefined, scale: StripScale, { zero, edges = [] }: Lines = {}): Markup {
  const upright = (value: number, kind: string): Markup =>
    html`<line class="${kind}" x1="${at(scale, value)}" x2="${at(scale, value)}" y1="0" y2="100%" />`;
  const drawn =
    band === undefined
      ? nothing
      : html`<line x1="${at(scale, band.low)}" x2="${at(scale, band.high)}" y1="50%" y2="50%" /><circle
            cx="${at(scale, band.value)}"
            cy="50%"
            r="3.5"
          />`;
  return html`<svg class="strip" aria-hidden="true">
    ${edges.map((edge) => upright(edge, "edge"))}${zero === undefined ? nothing : upright(zero, "zero")}${drawn}
  </svg>`;
}

/** Labels below which the strips of a column stand. */
export function stripAxis(ticks: readonly { readonly value: number; readonly label: string }[], scale: StripScale): Markup {
  return html`<svg class="strip" aria-hidden="true">
    ${ticks.map(({ value, label }) => html`<text x="${at(scale, value)}" y="85%">${label}</text>`)}
  </svg>`;
}
