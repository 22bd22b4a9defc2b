// What a training run tells while it runs. Types only.

import type { Averaged } from "./averaging.ts";

/** One epoch's mean cross-entropies for a predicted token, in nats. */
export interface EpochLoss {
  readonly epoch: number;
  readonly train: number;
  /** Absent where there are no validation sequences. */
  readonly validation?: number;
}

export interface StepEvent {
  readonly kind: "step";
  /** From 1. */
  readonly step: number;
  /** Steps planned; fewer are taken if the run stops early. */
  readonly of: number;
  readonly loss: number;
  /** What replayed texts and the divergence from the base model add to it, where there are such. */
  readonly penalty?: number;
  /** Tokens read, the filling of batches left out. */
  readonly tokensPerSecond: number;
  readonly learningRate: number;
}

export interface EpochEvent {
  readonly kind: "epoch";
  readonly epoch: number;
  readonly trainLoss: number;
  readonly validationLoss?: number;
  /** Whether these are the best weights so far. */
  readonly best: boolean;
}

/** How a run went. */
export interface TrainingRecord {
  readonly losses: readonly EpochLoss[];
  /** The epoch whose weights were kept. */
  readonly bestEpoch: number;
  /** Updates taken in all, those before a stop and going on included. */
  readonly steps: number;
  readonly stoppedEarly: boolean;
  /** Why it did, where the loss exploded after an epoch had gone well; the weights are those of the best epoch before. */
  readonly diverged?: string;
  /** Seconds of this process, from the call to the last weights. */
  readonly seconds: number;
  /** The most memory that this process has held, in bytes. */
  readonly peakMemoryBytes: number;
  /** Numbers that were learnt. */
  readonly trainedParameters: number;
  /** How far the weights were taken back towards the base model, where that was asked for. */
  readonly averaged?: Averaged;
}

export type DoneEvent<R> = { readonly kind: "done" } & TrainingRecord & R;

export type TrainingEvent<R> = StepEvent | EpochEvent | DoneEvent<R>;
