// Rotary positions (Su et al. 2021, https://arxiv.org/abs/2104.09864): how far each pair of numbers is turned at each position.

import type { Value } from "../graph/ir.ts";
import { constant, rope } from "../graph/ops.ts";
import type { Architecture } from "./architecture.ts";
import type { DecoderConfig } from "./config.ts";

/** What decides how far pairs of numbers are turned. */
export type RopeConfig = Pick<DecoderConfig, "context" | "headDim" | "ropeBase" | "ropeDivisor">;

/** Turns x [batch, heads, time, headDim] by its positions. */
export function rotation(config: RopeConfig, pairs: Architecture["rotatedPairs"]): (x: Value) => Value {
  const { cos, sin } = ropeTables(config);
  const shape = [config.context, config.headDim / 2];
  const [cosines, sines] = [constant(cos, shape), constant(sin, shape)];
  return (x) => rope(x, cosines, sines, pairs === "neighbours");
}

/** cos and sin of position * base^(-2 i / headDim) / divisor: [context, headDim / 2] each. */
function ropeTables({ context, headDim, ropeBase, ropeDivisor = 1 }: RopeConfig) {
  const half = headDim / 2;
  const divisor = (pair: number) => (typeof ropeDivisor === "number" ? ropeDivisor : (ropeDivisor[pair] ?? 1));
  const speeds = Float64Array.from({ length: half }, (_, pair) => ropeBase ** (-pair / half) / divisor(pair));
  const angles = Float64Array.from({ length: context * half }, (_, index) => Math.floor(index / half) * (speeds[index % half] ?? 0));
  return { cos: Float32Array.from(angles, Math.cos), sin: Float32Array.from(angles, Math.sin) };
}
