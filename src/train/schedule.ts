// The learning rate of each step: linear warm-up, then half a cosine (Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983).

export interface ScheduleOptions {
  readonly learningRate: number;
  /** Share of the steps in which the rate rises. */
  readonly warmup: number;
  readonly steps: number;
}

/** The rate of step `step` (from 1 to `steps`); it ends at a tenth of the highest. */
export function learningRateAt(step: number, { learningRate, warmup, steps }: ScheduleOptions): number {
  const rising = Math.round(warmup * steps);
  if (step <= rising) return (learningRate * step) / rising;
  const done = (step - rising) / Math.max(steps - rising, 1);
  return learningRate * (0.1 + 0.9 * 0.5 * (1 + Math.cos(Math.PI * done)));
}
