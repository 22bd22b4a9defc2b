// The derivative of every operation, as graph: a total table. An operation without a rule does not compile.

import { inputOf, type Node, type OpName, outputOf, type Value } from "./ir.ts";
import {
  concat,
  div,
  drop,
  expand,
  fill,
  gather,
  geluGradient,
  geluTanhGradient,
  gemm,
  matmul,
  mul,
  neg,
  reshape,
  rope,
  scalar,
  scatterAdd,
  siluGradient,
  split,
  sub,
  sum,
  transpose,
} from "./ops.ts";
import { axisOf, dimAt, type Shape } from "./shape.ts";

/** Operations that only gradients and optimisers are made of. */
type NotDifferentiable = "siluGradient" | "geluGradient" | "geluTanhGradient" | "gemmInt8";
/** Gradients of the inputs: one a place, as far as they are asked for. */
export type Gradients = readonly (Value | undefined)[];

export interface BackwardContext {
  /** Gradient of the output at a place; `undefined` where nothing downstream depends on it. */
  readonly gradients: Gradients;
  /** Whether the gradient of the input at a place is needed. */
  readonly needs: (index: number) => boolean;
}

type Rule<O extends OpName> = (node: Node<O>, context: BackwardContext) => Gradients;

/** Gradients of a node's inputs from those of its outputs. @throws for an operation that has no derivative. */
export function backward<O extends OpName>(node: Node<O>, context: BackwardContext): Gradients {
  const rule = rules[node.op] as Rule<O> | "none";
  if (rule === "none") throw new Error(`${node.op} is not differentiable.`);
  return rule(node, context);
}

const leaf = () => [];

const rules: { readonly [O in OpName]: O extends NotDifferentiable ? "none" : Rule<O> } = {
  input: leaf,
  weight: leaf,
  constant: leaf,
  fill: leaf,
  siluGradient: "none",
  geluGradient: "none",
  geluTanhGradient: "none",
  gemmInt8: "none",
  add: elementwise((_a, _b, g) => [() => g, () => g]),
  sub: elementwise((_a, _b, g) => [() => g, () => neg(g)]),
  mul: elementwise((a, b, g) => [() => mul(g, b), () => mul(g, a)]),
  div: elementwise((a, b, g) => [() => div(g, b), () => neg(div(mul(g, a), mul(b, b)))]),
  neg: (_node, { gradients }) => [neg(first(gradients))],
  sqrt: (node, { gradients }) => [div(mul(first(gradients), scalar(0.5)), outputOf(node))],
  sigmoid(node, { gradients }) {
    const y = outputOf(node);
    return [mul(first(gradients), sub(y, mul(y, y)))];
  },
  silu: (node, { gradients }) => [siluGradient(first(gradients), inputOf(node, 0))],
  gelu: (node, { gradients }) => [geluGradient(first(gradients), inputOf(node, 0))],
  geluTanh: (node, { gradients }) => [geluTanhGradient(first(gradients), inputOf(node, 0))],
  gemm(node, { gradients, needs }) {
    const { transA, transB, alpha } = node.attributes;
    const [a, b, added, g] = [inputOf(node, 0), inputOf(node, 1), node.inputs[2], first(gradients)];
    const ga = () => (transA ? gemm(b, g, { transA: transB, transB: true, alpha }) : gemm(g, b, { transB: !transB, alpha }));
    const gb = () => (transB ? gemm(g, a, { transA: true, transB: transA, alpha }) : gemm(a, g, { transA: !transA, alpha }));
    return [needs(0) ? ga() : undefined, needs(1) ? gb() : undefined, added === undefined ? undefined : sumTo(g, added.shape)];
  },
  matmul(node, { gradients, needs }) {
    const { transA, transB, alpha } = node.attributes;
    const [a, b, g] = [inputOf(node, 0), inputOf(node, 1), first(gradients)];
    const ga = () => (transA ? matmul(b, g, { transA: transB, transB: true, alpha }) : matmul(g, b, { transB: !transB, alpha }));
    const gb = () => (transB ? matmul(g, a, { transA: true, transB: transA, alpha }) : matmul(a, g, { transA: !transA, alpha }));
    return [needs(0) ? ga() : undefined, needs(1) ? gb() : undefined];
  },
  softmax(node, { gradients }) {
    const [y, g] = [outputOf(node), first(gradients)];
    return [mul(y, sub(g, sum(mul(y, g), [-1], true)))];
  },
  drop(node, { gradients }) {
    const { rate } = node.attributes;
    return [drop(first(gradients), { rate, rows: inputOf(node, 1), columns: inputOf(node, 2) })];
  },
  rmsNorm(node, { gradients, needs }) {
    const [x, weight, r, g] = [inputOf(node, 0), inputOf(node, 1), outputOf(node, 1), first(gradients)];
    if (gradients[1] !== undefined) throw new Error("rmsNorm is differentiated through its first output only.");
    const normal = mul(x, r);
    const gx = () => {
      const gNormal = mul(g, weight);
      const mean = mul(sum(mul(gNormal, normal), [-1], true), scalar(1 / Number(dimAt(x.shape, -1))));
      return mul(r, sub(gNormal, mul(normal, mean)));
    };
    const rows = x.shape.slice(0, -1).map((_, axis) => axis);
    return [needs(0) ? gx() : undefined, needs(1) ? sum(mul(g, normal), rows) : undefined];
  },
  // A rotation's transpose is the rotation by the opposite angle.
  rope: (node, { gradients }) => [rope(first(gradients), inputOf(node, 1), neg(inputOf(node, 2)), node.attributes.interleaved)],
  reshape: (node, { gradients }) => [reshape(first(gradients), inputOf(node, 0).shape)],
  transpose({ attributes: { order } }, { gradients }) {
    return [
      transpose(
        first(gradients),
        order.map((_, axis) => order.indexOf(axis)),
      ),
    ];
  },
  split(node, { gradients }) {
    return [
      concat(
        node.outputs.map((output, index) => gradients[index] ?? fill(0, output.shape)),
        node.attributes.axis,
      ),
    ];
  },
  concat(node, { gradients }) {
    const { axis } = node.attributes;
    return split(
      first(gradients),
      axis,
      node.inputs.map((part) => Number(dimAt(part.shape, axis))),
    );
  },
  expand: (node, { gradients }) => [sumTo(first(gradients), inputOf(node, 0).shape)],
  sum(node, { gradients }) {
    const { shape } = inputOf(node, 0);
    const axes = new Set(node.attributes.axes.map((axis) => axisOf(shape, axis)));
    const kept = reshape(
      first(gradients),
      shape.map((dim, axis) => (axes.has(axis) ? 1 : dim)),
    );
    return [expand(kept, shape)];
  },
  gather(node, { gradients }) {
    const [table, indices] = [inputOf(node, 0), inputOf(node, 1)];
    return [scatterAdd(fill(0, table.shape), indices, first(gradients)), undefined];
  },
  scatterAdd(node, { gradients, needs }) {
    const g = first(gradients);
    return [g, undefined, needs(2) ? gather(g, inputOf(node, 1)) : undefined];
  },
  linearCrossEntropy(node, { gradients, needs }) {
    const [hidden, table, labels, probabilities] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2), outputOf(node, 1)];
    if (gradients[1] !== undefined || needs(3))
      throw new Error("linearCrossEntropy is differentiated from its losses to its hidden states and table only.");
    const g = reshape(first(gradients), [dimAt(hidden.shape, 0), 1]);
    const gHidden = () => mul(sub(gemm(probabilities, table), gather(table, labels)), g);
    const gTable = () => {
      const weighted = mul(hidden, g);
      return scatterAdd(gemm(probabilities, weighted, { transA: true }), labels, neg(weighted));
    };
    return [needs(0) ? gHidden() : undefined, needs(1) ? gTable() : undefined, undefined];
  },
  linearKl(node, { gradients, needs }) {
    const [hidden, table, difference] = [inputOf(node, 0), inputOf(node, 1), outputOf(node, 1)];
    if (gradients[1] !== undefined || needs(2) || needs(3))
      throw new Error("linearKl is differentiated from its losses to its hidden states and table only.");
    const g = reshape(first(gradients), [dimAt(hidden.shape, 0), 1]);
    const gHidden = () => mul(gemm(difference, table), g);
    const gTable = () => gemm(difference, mul(hidden, g), { transA: true });
    return [needs(0) ? gHidden() : undefined, needs(1) ? gTable() : undefined];
  },
};

function elementwise(partials: (a: Value, b: Value, g: Value) => readonly [() => Value, () => Value]) {
  return (node: Node, { gradients, needs }: BackwardContext): Gradients => {
    const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
    const [ga, gb] = partials(a, b, first(gradients));
    return [needs(0) ? sumTo(ga(), a.shape) : undefined, needs(1) ? sumTo(gb(), b.shape) : undefined];
  };
}

/** A gradient summed over the axes along which its value was broadcast. */
function sumTo(g: Value, shape: Shape): Value {
  const extra = g.shape.length - shape.length;
  const axes = g.shape.flatMap((dim, axis) => (axis < extra || (shape[axis - extra] === 1 && dim !== 1) ? [axis] : []));
  return reshape(sum(g, axes), shape);
}

function first(gradients: Gradients): Value {
  const g = gradients[0];
  if (g === undefined) throw new Error("No gradient reached the first output of a node.");
  return g;
}
