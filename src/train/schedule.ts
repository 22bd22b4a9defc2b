// The learning rate of each step: linear warm-up, then a curve.

/** How the rate falls from its height, by the share of the steps after the warm-up that are done: 1 at the start. */
const curves = {
  constant: () => 1,
  linear: (done: number) => 1 - done,
  /** Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983. */
  cosine: (done: number) => 0.5 * (1 + Math.cos(Math.PI * done)),
} as const satisfies { readonly [name: string]: (done: number) => number };

export type Schedule = keyof typeof curves;
export const schedules = Object.keys(curves) as readonly Schedule[];

/** Of the highest rate: a last step at 0 would be for nothing. */
const LOWEST = 0.1;

export interface ScheduleOptions {
  readonly learningRate: number;
  readonly schedule: Schedule;
  /** Share of the steps in which the rate rises. */
  readonly warmup: number;
  readonly steps: number;
}

/** The rate of step `step` (from 1 to `steps`). All but `constant` end at a tenth of the highest. */
export function learningRateAt(step: number, { learningRate, schedule, warmup, steps }: ScheduleOptions): number {
  const rising = Math.round(warmup * steps);
  if (step <= rising) return (learningRate * step) / rising;
  const done = (step - rising) / Math.max(steps - rising, 1);
  return learningRate * (LOWEST + (1 - LOWEST) * curves[schedule](done));
}
