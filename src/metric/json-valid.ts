// Share of answers that are JSON and keep to the task's schema.
import { z } from "zod";
import type { Metric, MetricFactory } from "../evaluation.ts";
import { parseJson } from "./json.ts";
import { meanMetric } from "./mean.ts";
import { quote } from "./normalise.ts";

/** 1 where the whole answer parses as JSON and, if the task has a schema, is valid under it. */
export const jsonValid: MetricFactory = ({ output }): Metric => {
  const schema = output.kind === "schema" ? z.fromJSONSchema({ ...output.schema }) : z.unknown();
  const problem = (text: string): string | undefined => {
    const value = parseJson(text);
    if (value === undefined) return `not JSON: ${quote(text)}`;
    const checked = schema.safeParse(value);
    if (checked.success) return undefined;
    const issue = checked.error.issues[0];
    return `against the schema at "${issue?.path.join(".") ?? ""}": ${issue?.message ?? "invalid"}`;
  };
  return meanMetric({
    name: "json-valid",
    proportion: true,
    row: ({ output: given }) => Number(problem(given) === undefined),
    reason: ({ output: given }) => problem(given) ?? "valid",
  });
};
