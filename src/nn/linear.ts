// Parameters as graph values, and linear layers with them. What is frozen, learnt or adapted is said elsewhere.

import type { Value } from "../graph/ir.ts";
import { gemm } from "../graph/ops.ts";
import type { Parameter } from "./parameters.ts";

/** How a parameter becomes a value, and how a linear layer with it is computed. */
export interface Layers {
  readonly value: (parameter: Parameter) => Value;
  /** `x [rows, inputs]` times the parameter's rows, plus `added` [rows, outputs] or [outputs] where given. */
  readonly linear: (x: Value, parameter: Parameter, added?: Value) => Value;
}

/** Linear layers without adapters. */
export function plainLayers(value: (parameter: Parameter) => Value): Layers {
  return { value, linear: (x, parameter, added) => gemm(x, value(parameter), { transB: true, ...(added === undefined ? {} : { added }) }) };
}
