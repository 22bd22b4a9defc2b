// What the benches of this folder have in common: their options, and tables.
import { parseArgs, type ParseArgsConfig } from "node:util";
import { messageOf, UserError } from "../src/errors.ts";

export interface BenchOptions {
  /** Print one line of JSON last. */
  readonly json: boolean;
  /** Folder of public data, where there is one. */
  readonly data: string | undefined;
  /** What else stood on the command line. */
  readonly arguments: readonly string[];
}

/** The arguments of a bench as values. @throws {UserError} for one it does not have. */
export function readArguments<T extends NonNullable<ParseArgsConfig["options"]>>(given: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...given], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new UserError(`${messageOf(cause).split(". ")[0]}. This bench takes ${known.join(", ")}.`, { cause });
  }
}

/** Columns as wide as what they hold; all but the first flush right. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  for (const row of [head, ...rows])
    console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  "));
}

export const figure = (value: number): string => (Number.isNaN(value) ? "-" : value.toFixed(3));

/** Quantile .975 of Student's t by degrees of freedom (any statistics textbook). */
const studentT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262] as const;

export interface MeanOverSeeds {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly values: readonly number[];
}

/** The mean of 2 to 10 independent runs and its 95 % t interval; of one run there is no interval. */
export function meanOverSeeds(values: readonly number[]): MeanOverSeeds {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const half = (studentT[count - 2] ?? Number.NaN) * Math.sqrt(variance / count);
  return { mean, low: mean - half, high: mean + half, values };
}
