// Axes: linear, or by powers of ten where the values span more than a decade. Pixels and ticks; knows no chart.

export interface Axis {
  readonly type: "linear" | "log";
  readonly domain: readonly [low: number, high: number];
  readonly ticks: readonly number[];
  /** From 0 at the low end to 1 at the high end. */
  readonly at: (value: number) => number;
}

/** An axis for amounts that are 0 or more. A 0 on a logarithmic axis stands at its low end. */
export function amountAxis(values: readonly number[]): Axis {
  const positive = values.filter((value) => value > 0);
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  if (positive.length === 0 || most / least < 12) return linearAxis(0, positive.length === 0 ? 1 : most * 1.1);
  const domain = [least / (values.length > positive.length ? 8 : 2), most * 2] as const;
  const [low, high] = domain.map(Math.log10) as [number, number];
  const at = (value: number): number => (Math.log10(Math.max(value, domain[0])) - low) / (high - low);
  return { type: "log", domain, ticks: decades(low, high), at };
}

export function linearAxis(low: number, high: number): Axis {
  const span = high - low || 1;
  const step = niceStep(span / 5);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor((low + span) / step + 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(10)));
  return { type: "linear", domain: [low, low + span], ticks, at: (value) => (value - low) / span };
}

/** Powers of ten; with 2 and 5 between them where there are few, every second or third where there are many. */
function decades(low: number, high: number): readonly number[] {
  const [first, last] = [Math.ceil(low), Math.floor(high)];
  const stride = Math.max(1, Math.ceil((last - first + 1) / 6));
  const steps = high - low < 2 ? [1, 2, 5] : [1];
  const all = Array.from({ length: Math.max(0, last - first + 2) }, (_, index) => first - 1 + index * stride);
  return all
    .flatMap((power) => steps.map((step) => Number((step * 10 ** power).toPrecision(3))))
    .filter((value) => Math.log10(value) >= low && Math.log10(value) <= high);
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((step) => step * power >= least) ?? 10) * power;
}
