// Every default of training, in one place: runs, estimates and calibration read the same.

/** Of every kind of run. */
export const commonDefaults = {
  batchTokens: 512,
  schedule: "cosine",
  warmup: 0.05,
  maxNorm: 1,
  patience: 3,
  seed: 0,
  precision: "exact",
} as const;

export const loraDefaults = { rank: 8, alpha: 16, learningRate: 1e-3, epochs: 10, batchSize: 8, weightDecay: 0 } as const;
export const fullDefaults = { learningRate: 5e-5, epochs: 5, batchSize: 8, weightDecay: 0.01 } as const;
export const pretrainDefaults = { learningRate: 2e-3, epochs: 10, batchSize: 8, weightDecay: 0.1 } as const;

/** Defaults by kind of run. */
export const defaults = { lora: loraDefaults, full: fullDefaults, pretrain: pretrainDefaults } as const;
export type RunKind = keyof typeof defaults;
