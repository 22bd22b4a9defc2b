// F1 over the fields of a JSON object, counted over all examples together.
import { UserError } from "../errors.ts";
import type { Metric, MetricFactory } from "../evaluation.ts";
import type { JsonSchema } from "../model.ts";
import { countsOf, f1OfCounts, missing } from "./f1.ts";
import { isObject, leaves, parseJson, type Json } from "./json.ts";

/**
 * Statistics are `[tp, fp, fn]` over leaf fields; null means absent, on either side. An answer that is no JSON object misses every
 * expected field and fills every field of the schema wrongly.
 * @throws {UserError} when the task's output is no JSON.
 */
export const fieldF1: MetricFactory = ({ output }): Metric => {
  if (output.kind !== "schema")
    throw new UserError(`Metric "field-f1" needs JSON answers, the task's output is "${output.kind}". Set output: { schema: {...} }.`);
  const fields = schemaFields(output.schema);
  const worst = (expected: string | undefined): readonly number[] => {
    const count = leaves(parseJson(expected ?? "")).length;
    return [0, Math.max(1, fields, count), count];
  };
  return {
    name: "field-f1",
    higherIsBetter: true,
    proportion: false,
    statistics: ({ example, output: given }) => {
      const value = parseJson(given);
      return isObject(value) ? countsOf(leaves(parseJson(example.output)), leaves(value)) : worst(example.output);
    },
    worst: (example) => worst(example.output),
    value: (sums) => f1OfCounts(sums[0] ?? 0, sums[1] ?? 0, sums[2] ?? 0),
    reason: ({ example, output: given }) => reason(parseJson(example.output), parseJson(given)),
  };
};

function reason(expected: Json | undefined, given: Json | undefined): string {
  if (!isObject(given)) return "not a JSON object";
  const left = missing(leaves(expected), leaves(given));
  const extra = missing(leaves(given), leaves(expected));
  if (left.length + extra.length === 0) return "every field as expected";
  return [left.length > 0 ? `missing ${left.join(", ")}` : "", extra.length > 0 ? `wrong ${extra.join(", ")}` : ""]
    .filter(Boolean)
    .join("; ");
}

/** Leaf fields an object schema names; a list counts as its element. */
function schemaFields(schema: unknown): number {
  if (typeof schema !== "object" || schema === null) return 1;
  if ("properties" in schema && typeof schema.properties === "object" && schema.properties !== null) {
    return Object.values(schema.properties as JsonSchema).reduce<number>((total, one) => total + schemaFields(one), 0);
  }
  return "items" in schema ? schemaFields(schema.items) : 1;
}
