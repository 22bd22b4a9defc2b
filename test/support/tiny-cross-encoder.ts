// A random cross-encoder of BERT's shape, one layer of one head, as the files of a folder and as plain arithmetic.
import { seededRandom } from "../../src/util/random.ts";
import { floats, integers, node, onnxModel } from "./onnx-model.ts";

export const tinyVocabulary = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "bike", "hotel", "leave", "the", "a", "rent"];
const [V, T, H, F] = [tinyVocabulary.length, 16, 4, 8];

export interface TinyCrossEncoder {
  readonly onnx: Uint8Array;
  /** JSON by path. */
  readonly files: { readonly [path: string]: object };
  /** The logits of one pair, computed without any library. */
  score(pair: { readonly ids: readonly number[]; readonly types: readonly number[] }): readonly number[];
}

export function tinyCrossEncoder({ classes, seed }: { readonly classes: number; readonly seed: number }): TinyCrossEncoder {
  const random = seededRandom(seed);
  const sizes = {
    word: [V, H],
    position: [T, H],
    type: [2, H],
    q: [H, H],
    k: [H, H],
    v: [H, H],
    o: [H, H],
    up: [H, F],
    down: [F, H],
    pool: [H, H],
    classify: [H, classes],
  } as const;
  const weights = Object.fromEntries(
    Object.entries(sizes).map(([name, [rows, columns]]) => [name, Array.from({ length: rows * columns }, () => random.normal())]),
  );
  const matrix = (name: keyof typeof sizes): Matrix => rowsOf(weights[name]!, sizes[name][1]);

  const score: TinyCrossEncoder["score"] = ({ ids, types }) => {
    const [word, position, type] = [matrix("word"), matrix("position"), matrix("type")];
    const x = normalised(ids.map((id, at) => word[id]!.map((value, i) => value + position[at]![i]! + type[types[at]!]![i]!)));
    const [q, k, v] = [times(x, matrix("q")), times(x, matrix("k")), times(x, matrix("v"))];
    const attention = q.map((row) => softmax(k.map((other) => dot(row, other) / Math.sqrt(H))));
    const h = normalised(plus(x, times(times(attention, v), matrix("o"))));
    const inner = times(h, matrix("up")).map((row) => row.map((value) => Math.max(0, value)));
    const y = normalised(plus(h, times(inner, matrix("down"))));
    const pooled = times([y[0]!], matrix("pool")).map((row) => row.map(Math.tanh));
    return times(pooled, matrix("classify"))[0]!;
  };
  const tensors = Object.entries(weights).map(([name, data]) => floats(name, sizes[name as keyof typeof sizes], data));
  return { onnx: graph(tensors, classes), files, score };
}

function graph(tensors: Parameters<typeof onnxModel>[0]["tensors"], classes: number): Uint8Array {
  const layerNorm = (input: string, output: string) =>
    node("LayerNormalization", [input, "ones", "zeros"], output, { axis: -1n, epsilon: EPSILON });
  const ids = { type: "int64", dims: ["batch", "tokens"] } as const;
  return onnxModel({
    inputs: { input_ids: ids, attention_mask: ids, token_type_ids: ids },
    outputs: { logits: ["batch", classes] },
    tensors: [
      ...tensors,
      floats(
        "ones",
        [H],
        Array.from({ length: H }, () => 1),
      ),
      floats(
        "zeros",
        [H],
        Array.from({ length: H }, () => 0),
      ),
      floats("scale", [1], [1 / Math.sqrt(H)]),
      floats("one", [1], [1]),
      floats("lowest", [1], [-1e4]),
      integers("start", [0]),
      integers("step", [1]),
      integers("first", [0], []),
    ],
    nodes: [
      node("Gather", ["word", "input_ids"], "words"),
      node("Gather", ["type", "token_type_ids"], "types"),
      node("Shape", ["input_ids"], "length", { start: 1n }),
      node("Slice", ["position", "start", "length", "start", "step"], "positions"),
      node("Add", ["words", "types"], "typed"),
      node("Add", ["typed", "positions"], "placed"),
      layerNorm("placed", "x"),
      ...["q", "k", "v"].map((name) => node("MatMul", ["x", name], `x${name}`)),
      node("Transpose", ["xk"], "xkt", { perm: [0n, 2n, 1n] }),
      node("MatMul", ["xq", "xkt"], "products"),
      node("Mul", ["products", "scale"], "scaled"),
      node("Cast", ["attention_mask"], "mask", { to: 1n }),
      node("Sub", ["one", "mask"], "hidden"),
      node("Mul", ["hidden", "lowest"], "masked"),
      node("Unsqueeze", ["masked", "step"], "bias"),
      node("Add", ["scaled", "bias"], "biased"),
      node("Softmax", ["biased"], "attention", { axis: -1n }),
      node("MatMul", ["attention", "xv"], "attended"),
      node("MatMul", ["attended", "o"], "out"),
      node("Add", ["x", "out"], "residual"),
      layerNorm("residual", "h"),
      node("MatMul", ["h", "up"], "wide"),
      node("Relu", ["wide"], "active"),
      node("MatMul", ["active", "down"], "narrow"),
      node("Add", ["h", "narrow"], "second"),
      layerNorm("second", "y"),
      node("Gather", ["y", "first"], "cls", { axis: 1n }),
      node("MatMul", ["cls", "pool"], "linear"),
      node("Tanh", ["linear"], "pooled"),
      node("MatMul", ["pooled", "classify"], "logits"),
    ],
  });
}

const special = (token: string) => ({ id: token, ids: [tinyVocabulary.indexOf(token)], tokens: [token] });
const files = {
  "config.json": { model_type: "bert", max_position_embeddings: T },
  "tokenizer_config.json": { unk_token: "[UNK]" },
  "tokenizer.json": {
    version: "1.0",
    added_tokens: [],
    normalizer: { type: "Lowercase" },
    pre_tokenizer: { type: "Whitespace" },
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "[CLS]", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "[SEP]", type_id: 0 } },
      ],
      pair: [
        { SpecialToken: { id: "[CLS]", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "[SEP]", type_id: 0 } },
        { Sequence: { id: "B", type_id: 1 } },
        { SpecialToken: { id: "[SEP]", type_id: 1 } },
      ],
      special_tokens: { "[CLS]": special("[CLS]"), "[SEP]": special("[SEP]") },
    },
    decoder: null,
    model: { type: "WordLevel", vocab: Object.fromEntries(tinyVocabulary.map((token, id) => [token, id])), unk_token: "[UNK]" },
  },
};

type Matrix = readonly (readonly number[])[];
const EPSILON = 1e-5;

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((value, j) => value + b[i]![j]!));
const rowsOf = (data: readonly number[], columns: number): Matrix =>
  Array.from({ length: data.length / columns }, (_, row) => data.slice(row * columns, (row + 1) * columns));
const times = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, i) => sum + value * b[i]![j]!, 0)));

function softmax(values: readonly number[]): readonly number[] {
  const powers = values.map((value) => Math.exp(value - Math.max(...values)));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}

function normalised(rows: Matrix): Matrix {
  return rows.map((row) => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    return row.map((value) => (value - mean) / Math.sqrt(variance + EPSILON));
  });
}
