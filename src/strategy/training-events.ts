// A training run inside a strategy: its events as progress, its losses as the manifest keeps them.
import type { TrainingEvent, TrainingRecord } from "../train/events.ts";
import type { StepResult, StrategyEvent } from "./strategy.ts";

/** Yields progress a step, returns the last event. */
export async function* followTraining<R>(running: AsyncIterable<TrainingEvent<R>>): AsyncGenerator<StrategyEvent, TrainingRecord & R> {
  for await (const event of running) {
    if (event.kind === "done") return event;
    if (event.kind === "step") {
      const detail = `loss ${event.loss.toFixed(3)}, ${Math.round(event.tokensPerSecond)} tokens/s`;
      yield { kind: "progress", label: "training", done: event.step, of: event.of, detail };
    } else {
      const validation = event.validationLoss === undefined ? "" : `, validation ${event.validationLoss.toFixed(3)}`;
      yield {
        kind: "progress",
        label: "epoch",
        done: event.epoch,
        of: event.epoch,
        detail: `loss ${event.trainLoss.toFixed(3)}${validation}`,
      };
    }
  }
  throw new Error("The training run ended without a result.");
}

/** Losses of each epoch, in nats a predicted token. */
export function trainingCurve({ losses }: TrainingRecord): NonNullable<StepResult["training"]> {
  return losses.map(({ epoch, train, validation }) => ({ epoch, trainLoss: train, validationLoss: validation ?? Number.NaN }));
}
