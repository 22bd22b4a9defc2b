// Figures as people read them: seconds, bytes, money, scores. Knows nothing of where they come from.

const minus = "\u2212";
/** What stands where nothing was measured. */
export const notMeasured = "\u2013";

const signed = (text: string): string => text.replace(/^-/u, minus);

/** A score with three decimals; large ones with fewer. */
export function score(value: number): string {
  return signed(fixed(value, Math.abs(value) >= 100 ? 1 : 3));
}

/** A difference with its sign. */
export function difference(value: number): string {
  const text = score(value);
  return value > 0 && Number(fixed(value, 3)) !== 0 ? `+${text}` : text;
}

/** `low to high`. */
export function interval({ low, high }: { readonly low: number; readonly high: number }): string {
  return `${score(low)} to ${score(high)}`;
}

/** 0.0004 is `0.4 ms`; 5400 is `90 min`. */
export function seconds(value: number): string {
  if (value === 0) return "0 s";
  if (value < 0.01) return `${digits(value * 1000, 2)} ms`;
  if (value < 0.9995) return `${Math.round(value * 1000)} ms`;
  if (value < 99.5) return `${value < 9.95 ? fixed(value, 1) : Math.round(value)} s`;
  const minutes = value / 60;
  if (minutes < 99.5) return `${minutes < 9.95 ? fixed(minutes, 1) : Math.round(minutes)} min`;
  const hours = minutes / 60;
  return hours < 99.5 ? `${fixed(hours, 1)} h` : `${count(hours / 24)} days`;
}

/** Decimal units: 98_362_432 is `98 MB`. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(Number(value.toPrecision(3))) / 3));
  const scaled = value / 1000 ** step;
  return `${step === 0 ? Math.round(scaled) : digits(scaled, 2)} ${units[step]}`;
}

/** Dollars, or the time one's own machine is busy. */
export function cost(value: number, unit: "dollars" | "machine-seconds"): string {
  if (unit === "machine-seconds") return seconds(value);
  if (value === 0) return "$0";
  if (value < 0.0001) return "<$0.0001";
  if (value >= 100) return `$${count(value)}`;
  return value >= 1 ? `$${fixed(value, 2)}` : `$${digits(value, 2)}`;
}

/** As short as an axis wants it: `$0.0001`, `1 s`. */
export function roundCost(value: number, unit: "dollars" | "machine-seconds"): string {
  return unit === "dollars" ? `$${value >= 1 ? count(value) : digits(value, 1)}` : roundSeconds(value);
}

export function roundSeconds(value: number): string {
  return value >= 1 ? `${count(value)} s` : seconds(value).replace(/\.0+(?= )/u, "");
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** `1 example`, `12 examples`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${Math.round(value) === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1) ?? ""}`;
}

export function share(part: number): string {
  return `${fixed(part * 100, part > 0 && part < 0.1 ? 1 : 0)} %`;
}

/** A number whose unit is not known here. */
export function plain(value: number): string {
  return signed(
    Number.isInteger(value)
      ? count(value)
      : digits(value, 3)
          .replace(/(\.\d*?)0+$/u, "$1")
          .replace(/\.$/u, ""),
  );
}

/** A date and time without its zone's fractions: `2026-11-01 10:00 UTC`; the text itself where it is no date. */
export function moment(iso: string): string {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/u.exec(iso) ?? [];
  return day === undefined ? iso : `${day} ${time} UTC`;
}

const fixed = (value: number, decimals: number): string => value.toFixed(decimals).replace(/^-(0(?:\.0*)?)$/u, "$1");

/** At least `least` significant digits, never in powers of ten. */
function digits(value: number, least: number): string {
  const size = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(Number(value.toPrecision(least)))));
  return fixed(value, Math.max(0, Math.min(12, least - 1 - size)));
}
