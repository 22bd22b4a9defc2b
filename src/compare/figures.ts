// Figures as people read them: scores, seconds, money, counts. No locale: the same text on every machine.

/** A score or a difference with the digits that an evaluation of hundreds of examples supports: `0.712`. */
export function formatScore(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : "–";
}

/** A signed difference: `+0.041`, `−0.120`. */
export function formatDifference(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const text = Math.abs(value).toFixed(3);
  return Number(text) === 0 ? text : `${value < 0 ? "−" : "+"}${text}`;
}

/** Two significant digits below 10, else whole, thousands apart. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 0.001) return value.toExponential(1);
  if (size < 10) return String(Number(value.toPrecision(2)));
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** `4.2 ms`, `1.3 s`, `4 min`, `2.5 h`, `3 days`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds === 0) return "0 s";
  if (seconds < 0.9995) return `${formatNumber(seconds * 1000)} ms`;
  if (seconds < 120) return `${formatNumber(seconds)} s`;
  if (seconds < 7200) return `${formatNumber(seconds / 60)} min`;
  if (seconds < 172_800) return `${formatNumber(seconds / 3600)} h`;
  return `${formatNumber(seconds / 86_400)} days`;
}

/** A cost in its unit: `$1.20`, or machine time. */
export function formatCost(value: number, unit: "dollars" | "machine-seconds"): string {
  if (unit === "machine-seconds") return formatSeconds(value);
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "$0";
  return value < 0.01 ? `$${value.toPrecision(2)}` : value < 1000 ? `$${value.toFixed(2)}` : `$${formatNumber(value)}`;
}

export function formatShare(share: number): string {
  return Number.isFinite(share) ? `${Number((share * 100).toPrecision(3))} %` : "–";
}

/** `a`, `a and b`, `a, b and c`. */
export function formatList(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1) ?? ""}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`;
}
