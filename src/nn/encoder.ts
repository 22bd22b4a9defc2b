// The forward pass of a BERT encoder (Devlin et al. 2018, https://arxiv.org/abs/1810.04805) as a graph, from tokens to sentence embeddings.

import type { Value } from "../graph/ir.ts";
import { add, flatten, gather, gelu, input, matmul, mul, reshape, rmsNorm, scalar, softmax, sub, sum, transpose } from "../graph/ops.ts";
import { unitRows } from "./contrastive.ts";
import type { Layers } from "./linear.ts";
import type { Parameter } from "./parameters.ts";

export interface EncoderConfig {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly positions: number;
  readonly epsilon: number;
}

/** A linear layer. */
export interface EncoderLinear {
  readonly weight: Parameter;
  readonly bias: Parameter;
}

const linearNames = {
  query: "attention.self.query",
  key: "attention.self.key",
  value: "attention.self.value",
  output: "attention.output.dense",
  up: "intermediate.dense",
  down: "output.dense",
} as const;
const normNames = { attention: "attention.output.LayerNorm", feedForward: "output.LayerNorm" } as const;
export type EncoderTarget = keyof typeof linearNames;

export interface EncoderLayer {
  readonly linears: { readonly [T in EncoderTarget]: EncoderLinear };
  readonly norms: { readonly [N in keyof typeof normNames]: EncoderLinear };
}

export interface EncoderParameters {
  readonly words: Parameter;
  /** Of every place, the embedding of the first token type added: texts are never pairs here. */
  readonly positions: Parameter;
  readonly norm: EncoderLinear;
  readonly layers: readonly EncoderLayer[];
}

/** The parameters under the names of PyTorch's checkpoints. */
export function encoderParameters({ layers, width, hidden, vocabulary, positions }: EncoderConfig): EncoderParameters {
  const parameter = (name: string, shape: readonly number[], kind: Parameter["kind"]): Parameter => ({ name, shape, kind, parts: [] });
  const norm = (name: string): EncoderLinear => ({
    weight: parameter(`${name}.weight`, [width], "norm"),
    bias: parameter(`${name}.bias`, [width], "bias"),
  });
  const sizes: { readonly [T in EncoderTarget]?: readonly [number, number] } = { up: [hidden, width], down: [width, hidden] };
  const layer = (index: number): EncoderLayer => {
    const named = (name: string): string => `encoder.layer.${index}.${name}`;
    const linear = (target: EncoderTarget): EncoderLinear => {
      const [outputs, inputs] = sizes[target] ?? [width, width];
      const name = named(linearNames[target]);
      return { weight: parameter(`${name}.weight`, [outputs, inputs], "linear"), bias: parameter(`${name}.bias`, [outputs], "bias") };
    };
    return {
      linears: {
        query: linear("query"),
        key: linear("key"),
        value: linear("value"),
        output: linear("output"),
        up: linear("up"),
        down: linear("down"),
      },
      norms: { attention: norm(named(normNames.attention)), feedForward: norm(named(normNames.feedForward)) },
    };
  };
  return {
    words: parameter("embeddings.word_embeddings.weight", [vocabulary, width], "embedding"),
    positions: parameter("embeddings.position_embeddings.weight", [positions, width], "embedding"),
    norm: norm("embeddings.LayerNorm"),
    layers: Array.from({ length: layers }, (_, index) => layer(index)),
  };
}

interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The sizes of an encoder whose tensors have the names of PyTorch's checkpoints; heads and epsilon no tensor tells. */
export function encoderConfig(tensors: ReadonlyMap<string, Tensor>, heads: number, epsilon: number): EncoderConfig {
  const shape = (name: string): readonly number[] => tensors.get(name)?.shape ?? [];
  const [vocabulary = 0, width = 0] = shape("embeddings.word_embeddings.weight");
  const [positions = 0] = shape("embeddings.position_embeddings.weight");
  const [hidden = 0] = shape("encoder.layer.0.intermediate.dense.weight");
  let layers = 0;
  while (tensors.has(`encoder.layer.${layers}.output.dense.weight`)) layers++;
  return { layers, width, heads, hidden, vocabulary, positions, epsilon };
}

/** The numbers of the parameters by name: the tensors', with the first token type added to every place. */
export function encoderData(tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Float32Array> {
  const data = new Map(Array.from(tensors, ([name, tensor]) => [name, tensor.data]));
  const type = data.get("embeddings.token_type_embeddings.weight") ?? new Float32Array(1);
  const width = tensors.get("embeddings.token_type_embeddings.weight")?.shape[1] ?? 1;
  const places = "embeddings.position_embeddings.weight";
  return data.set(
    places,
    (data.get(places) ?? new Float32Array(0)).map((value, at) => value + type[at % width]!),
  );
}

/** What is given at every run. */
export interface EncoderInputs {
  /** int64 [batch, time]; shorter texts are filled up at the end with any token. */
  readonly tokens: Value;
  /** int64 [time]: 0, 1, 2, ... */
  readonly places: Value;
  /** [batch, 1, 1, time]: 0 at tokens of the text, a large negative number at what it was filled up with. */
  readonly padding: Value;
  /** [batch, 1, time]: what each token counts in the mean: one in their number, 0 at what the text was filled up with. */
  readonly shares: Value;
}

export function encoderInputs(): EncoderInputs {
  return {
    tokens: input("tokens", "int64", ["batch", "time"]),
    places: input("places", "int64", ["time"]),
    padding: input("padding", "float32", ["batch", 1, 1, "time"]),
    shares: input("shares", "float32", ["batch", 1, "time"]),
  };
}

/** The means of the texts' last hidden states as unit vectors [batch, width] (Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084). */
export function sentenceEmbeddings(
  config: EncoderConfig,
  parameters: EncoderParameters,
  layers: Layers,
  { tokens, places, padding, shares }: EncoderInputs,
): Value {
  const { width } = config;
  const norm = (x: Value, { weight, bias }: EncoderLinear) => layerNorm(x, layers.value(weight), layers.value(bias), config);
  const words = reshape(gather(layers.value(parameters.words), flatten(tokens)), ["batch", "time", width]);
  const placed = add(words, gather(layers.value(parameters.positions), places));
  let hidden = norm(reshape(placed, ["batch*time", width]), parameters.norm);
  for (const { linears, norms } of parameters.layers) {
    const linear = (x: Value, { weight, bias }: EncoderLinear) => layers.linear(x, weight, layers.value(bias));
    const context = selfAttention(config, hidden, padding, (target) => linear(hidden, linears[target]));
    hidden = norm(add(linear(context, linears.output), hidden), norms.attention);
    hidden = norm(add(linear(gelu(linear(hidden, linears.up)), linears.down), hidden), norms.feedForward);
  }
  const means = matmul(shares, reshape(hidden, ["batch", "time", width]));
  return unitRows(reshape(means, ["batch", width]), width);
}

/** Every token looks at every token of its text: [batch * time, width]. */
function selfAttention(
  { heads, width }: EncoderConfig,
  x: Value,
  padding: Value,
  projected: (target: "query" | "key" | "value") => Value,
): Value {
  const headDim = width / heads;
  const toHeads = (y: Value) => transpose(reshape(y, ["batch", "time", heads, headDim]), [0, 2, 1, 3]);
  const scores = matmul(toHeads(projected("query")), toHeads(projected("key")), { transB: true, alpha: 1 / Math.sqrt(headDim) });
  const context = matmul(softmax(add(scores, padding)), toHeads(projected("value")));
  return reshape(transpose(context, [0, 2, 1, 3]), x.shape);
}

/** Rows less their mean, divided by their deviation (Ba et al. 2016, https://arxiv.org/abs/1607.06450). */
function layerNorm(x: Value, weight: Value, bias: Value, { width, epsilon }: EncoderConfig): Value {
  const centred = sub(x, mul(sum(x, [-1], true), scalar(1 / width)));
  return add(rmsNorm(centred, weight, epsilon).y, bias);
}
