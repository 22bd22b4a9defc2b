// F1 over entities found in a text, each a type and the words that name it, counted over all examples together.
import type { Metric, MetricFactory } from "../evaluation.ts";
import { countsOf, f1OfCounts, missing } from "./f1.ts";
import { isObject, parseJson, type Json } from "./json.ts";
import { normaliseValue } from "./normalise.ts";

/**
 * Answers are a JSON list of `{ type, text }`, or an object whose only list holds them. An entity is found if type and normalised
 * text are the expected ones (exact match, as in MUC's strict scoring); statistics are `[tp, fp, fn]`.
 */
export const entityF1: MetricFactory = (): Metric => {
  const worst = (expected: string | undefined): readonly number[] => {
    const count = entities(parseJson(expected ?? ""))?.length ?? 0;
    return [0, Math.max(1, count), count];
  };
  return {
    name: "entity-f1",
    higherIsBetter: true,
    proportion: false,
    statistics: ({ example, output }) => {
      const given = entities(parseJson(output));
      return given === undefined ? worst(example.output) : countsOf(entities(parseJson(example.output)) ?? [], given);
    },
    worst: (example) => worst(example.output),
    value: (sums) => f1OfCounts(sums[0] ?? 0, sums[1] ?? 0, sums[2] ?? 0),
    reason: ({ example, output }) => reason(entities(parseJson(example.output)) ?? [], entities(parseJson(output))),
  };
};

function reason(expected: readonly string[], given: readonly string[] | undefined): string {
  if (given === undefined) return "not a JSON list of { type, text }";
  const left = missing(expected, given);
  const extra = missing(given, expected);
  if (left.length + extra.length === 0) return "every entity found";
  return [left.length > 0 ? `missed ${left.join(", ")}` : "", extra.length > 0 ? `wrong ${extra.join(", ")}` : ""]
    .filter(Boolean)
    .join("; ");
}

/** `type: text` of each entity; undefined where the value is no list of entities. */
function entities(value: Json | undefined): readonly string[] | undefined {
  const list = isObject(value) ? Object.values(value).find((field) => Array.isArray(field)) : value;
  if (!Array.isArray(list)) return undefined;
  const found = (list as readonly Json[]).map((one) =>
    isObject(one) && typeof one["type"] === "string" && typeof one["text"] === "string"
      ? `${normaliseValue(one["type"])}: ${normaliseValue(one["text"])}`
      : undefined,
  );
  return found.every((one) => one !== undefined) ? found : undefined;
}
