// JSON text as a value, and its leaves as comparable strings. Knows nothing of scores.
import { normaliseValue } from "./normalise.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The value of a JSON text, with nothing but white space around it: what a program that uses the answer would read. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Every leaf that is not null as `path = value`: `{"a": {"b": "X."}, "c": [1, null]}` gives `a.b = x` and `c[] = 1`. The order of
 * a list does not matter; strings are normalised; a number and the string that writes it are the same.
 */
export function leaves(value: Json | undefined, path = ""): readonly string[] {
  if (value === undefined || value === null) return [];
  if (isList(value)) return value.flatMap((element) => leaves(element, `${path}[]`));
  if (typeof value === "object") {
    return Object.entries(value).flatMap(([key, element]) => leaves(element, below(path, key)));
  }
  return [`${path} = ${typeof value === "string" ? normaliseValue(value) : String(value)}`];
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function below(path: string, key: string): string {
  const name = key.split(/\s+/).join(" ");
  return path === "" ? name : `${path}.${name}`;
}
