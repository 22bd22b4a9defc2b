// The candidates of a run under the names that clients may use.
import type { Served } from "../index.ts";
import { ProtocolError } from "./protocol-error.ts";

/** Names of the recommended candidate beside its id. */
const recommendedNames: readonly string[] = ["default", "sartor"];

/** The id of the candidate that a client calls `model`. @throws {ProtocolError} 404 naming the others. */
export function candidateNamed({ candidates, recommended }: Served, model: string): string {
  if (candidates.includes(model)) return model;
  if (recommendedNames.includes(model)) return recommended;
  const message = `There is no candidate "${model}". Ask "default", which is "${recommended}", or one of: ${candidates.join(", ")}.`;
  throw new ProtocolError({ status: 404, message, code: "model_not_found", param: "model" });
}

/** A candidate as an OpenAI model, with what was measured of it. */
export function describe({ report, recommended }: Served, id: string): object {
  const row = report.candidates.find((one) => one.id === id);
  return {
    id,
    object: "model",
    created: Math.floor(Date.parse(report.createdAt) / 1000),
    owned_by: "sartor",
    recommended: id === recommended,
    ...(row === undefined
      ? {}
      : {
          strategy: row.strategy,
          kind: row.kind,
          base: row.model,
          local: row.local,
          score: row.score,
          latency: row.latency,
          cost: row.cost,
        }),
  };
}

/** The recommended candidate first, then in the order of the run. */
export function ordered({ candidates, recommended }: Served): readonly string[] {
  return [recommended, ...candidates.filter((id) => id !== recommended)];
}
