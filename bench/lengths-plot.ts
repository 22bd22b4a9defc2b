// The drawing of bench/lengths.ts: seconds and memory of a step by the tokens of its sequence, both axes by doublings.
import { type Specification, vegaSvgFile, colour } from "../src/report/vega-svg.ts";

const sides = ["Sartor", "PyTorch + PEFT"] as const;

export interface Point {
  readonly side: (typeof sides)[number];
  readonly tokens: number;
  readonly seconds: number;
  /** Of the side's process up to here: lengths come in rising order. */
  readonly peakMemoryBytes: number;
}

interface Panel {
  readonly title: string;
  readonly of: (point: Point) => number;
  /** Whether a thin line shows what is proportional to the tokens. */
  readonly guide: boolean;
}

const panels: readonly Panel[] = [
  { title: "seconds a step", of: ({ seconds }) => seconds, guide: true },
  { title: "peak memory, GB", of: ({ peakMemoryBytes }) => peakMemoryBytes / 1e9, guide: false },
];
const doublings = Array.from({ length: 12 }, (_, power) => 2 ** (power - 4));
const size = { width: 300, height: 260 } as const;

/** The SVG file, on paper of its own, so that it is as legible on a dark page. */
export function lengthsPlot(points: readonly Point[]): Promise<string> {
  const own = points.filter(({ side }) => side === "Sartor");
  const ends = [own[0], own.at(-1)].map((point) => `${point?.seconds.toFixed(2)} s for ${point?.tokens} tokens`);
  const specification = { spacing: 48, hconcat: panels.map((panel) => drawPanel(points, panel)) } as Specification;
  return vegaSvgFile(specification, `A step takes ${ends.join(" and ")}.`);
}

function drawPanel(points: readonly Point[], { title, of, guide }: Panel) {
  const numbers = points.map((point) => ({ side: point.side, tokens: point.tokens, value: of(point) }));
  const lengths = [...new Set(points.map(({ tokens }) => tokens))];
  const scale = { type: "log", base: 2, nice: false } as const;
  const x = {
    field: "tokens",
    type: "quantitative",
    title: "tokens of the sequence",
    scale,
    axis: { grid: false, values: lengths, labelOverlap: false, labelFlush: false },
  };
  const y = { field: "value", type: "quantitative", title, scale, axis: { format: "~g", values: doublings } };
  const encoding = { x, y };
  const line = (values: readonly object[], strokeWidth: number, color: string) => ({
    data: { values: [...values] },
    mark: { type: "line", strokeWidth, color },
    encoding,
  });
  const marked = sides.flatMap((side) => {
    const values = numbers.filter((number) => number.side === side);
    const color = side === "Sartor" ? colour.accent : colour.quiet;
    const label = { type: "text", text: side, color, fontSize: 12, align: side === "Sartor" ? "left" : "right" };
    return [
      line(values, 2, color),
      { data: { values }, mark: { type: "point", filled: true, size: 30, opacity: 1, color }, encoding },
      // Ours below its line, the other above: they never meet.
      {
        data: { values: values.slice(-2, -1) },
        mark: { ...label, dx: side === "Sartor" ? 6 : -6, dy: side === "Sartor" ? 14 : -12 },
        encoding,
      },
    ];
  });
  return { ...size, layer: [...(guide ? proportional(numbers, line) : []), ...marked] };
}

/** Twice the tokens, twice the time: through what 256 tokens take here. */
function proportional(
  numbers: readonly { readonly side: string; readonly tokens: number; readonly value: number }[],
  line: (values: readonly object[], strokeWidth: number, color: string) => object,
): readonly object[] {
  const through = numbers.find(({ side, tokens }) => side === "Sartor" && tokens === 256);
  if (through === undefined) return [];
  const from = numbers.filter(({ side, tokens }) => side === "Sartor" && tokens >= 256);
  const values = from.map(({ tokens }) => ({ tokens, value: (through.value * tokens) / 256 }));
  return [line(values, 1, colour.quiet)];
}
