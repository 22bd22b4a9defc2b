// Options that several verbs share, from text to values.
import { type EffortName, UserError } from "../index.ts";

export interface TextOptions {
  readonly budget?: string;
  readonly effort?: EffortName;
  readonly strategies?: string;
  readonly models?: string;
  readonly seed?: string;
  readonly repeats?: string;
  readonly json?: boolean;
}

export interface PlanningOptions {
  budgetSeconds?: number;
  effort?: EffortName;
  strategies?: readonly string[];
  models?: readonly string[];
  seed?: number;
  repeats?: number;
}

export function planningOptions({ budget, effort, strategies, models, seed, repeats }: TextOptions): PlanningOptions {
  return {
    ...(budget === undefined ? {} : { budgetSeconds: seconds(budget) }),
    ...(effort === undefined ? {} : { effort }),
    ...(strategies === undefined ? {} : { strategies: list(strategies) }),
    ...(models === undefined ? {} : { models: list(models) }),
    ...(seed === undefined ? {} : { seed: wholeNumber(seed, "--seed") }),
    ...(repeats === undefined ? {} : { repeats: wholeNumber(repeats, "--repeats") }),
  };
}

/** Comma-separated. */
export const list = (text: string): readonly string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
const unitSeconds: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600 };

/** `90s`, `10m`, `1.5h` in seconds. */
export function seconds(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([smh])$/u.exec(text.trim()) ?? [];
  if (amount === undefined || unit === undefined) throw new UserError(`"${text}" is no time. Write it like 90s, 10m or 1h.`);
  return Number(amount) * unitSeconds[unit]!;
}

export function wholeNumber(text: string, name: string): number {
  if (/^\d+$/u.test(text)) return Number(text);
  throw new UserError(`${name} is "${text}". Give a whole number.`);
}

export function share(text: string, name: string): number {
  const value = number(text, name);
  if (value >= 0 && value <= 1) return value;
  throw new UserError(`${name} is ${value}. Give a number from 0 to 1.`);
}

export function number(text: string, name: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new UserError(`${name} is "${text}". Give a number.`);
}

/** How each option that may be left out becomes a setting. */
export type Readers<S> = { readonly [option: string]: (text: string, flag: string) => Partial<S> };

/** The settings of the options that were given. */
export function readSettings<S>(readers: Readers<S>, given: { readonly [option: string]: string | boolean | undefined }): Partial<S> {
  const settings = Object.entries(readers).map(([option, read]) =>
    given[option] === undefined ? {} : read(String(given[option]), flagOf(option)),
  );
  return Object.assign({}, ...settings) as Partial<S>;
}

/** `learningRate` as it is written on the command line. */
export const flagOf = (option: string): string => `--${option.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
