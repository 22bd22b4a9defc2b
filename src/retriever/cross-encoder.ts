// A cross-encoder from a folder: a model of the BERT family that reads a query and a passage together. Knows nothing of rankings.
import { basename, resolve } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { UserError } from "../errors.ts";
import type { Passage } from "../evaluation.ts";
import type { Runtime, Session } from "../runtime/runtime.ts";
import { int64, type Tensors } from "../runtime/tensor.ts";
import { contentKey } from "../util/hash.ts";
import { readEncoderFolder, readJson } from "./encoder-folder.ts";
import type { Judge } from "./rerank.ts";

export interface CrossEncoder extends AsyncDisposable {
  readonly id: string;
  /** Changes with the contents of the files. */
  readonly key: string;
  /** How well each text answers the query: the model's logit, of a model with two classes that of the second over the first. */
  score(query: string, texts: readonly string[], signal?: AbortSignal): Promise<readonly number[]>;
}

export interface OpenCrossEncoderOptions {
  /** A folder as transformers.js lays them out. */
  readonly folder: string;
  readonly runtime: Runtime;
}

/** Pairs that are read together where that changes no score. */
const TOGETHER = 8;

/**
 * Opens a cross-encoder (Nogueira and Cho 2019, "Passage re-ranking with BERT"). Passages too long for it lose their end.
 *
 * Pairs are read in the order of their lengths, so that those read together need little padding. A quantised model reads them one at a
 * time: it measures the range of its activations over everything in a run, so that a pair's score would depend on its neighbours.
 * @throws {UserError} if the folder holds none, or onnxruntime-node is not installed.
 */
export async function openCrossEncoder({ folder, runtime }: OpenCrossEncoderOptions): Promise<CrossEncoder> {
  const { paths, key, maxTokens } = await readEncoderFolder(folder, "cross-encoder");
  const tokenizer = new Tokenizer(await readJson(paths.tokenizer), await readJson(paths.tokenizerConfig));
  const session = await runtime.load({ source: { path: paths.onnx } });
  const together = paths.onnx.endsWith("_quantized.onnx") ? 1 : TOGETHER;
  const pad = tokenizer.token_to_id("[PAD]") ?? tokenizer.token_to_id("<pad>") ?? 0;
  return {
    id: basename(resolve(folder)),
    key: contentKey({ key, maxTokens }),
    score: async (query, texts, signal) => {
      const pairs = texts.map((text, place) => ({ ...pairOf(tokenizer, query, text, maxTokens), place }));
      pairs.sort((a, b) => a.ids.length - b.ids.length);
      const scores = texts.map(() => 0);
      for (let from = 0; from < pairs.length; from += together) {
        signal?.throwIfAborted();
        const batch = pairs.slice(from, from + together);
        const logits = logitsOf(await session.run(feeds(session, batch, pad)), batch.length, folder);
        batch.forEach(({ place }, row) => (scores[place] = logits[row]!));
      }
      return scores;
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

/** A cross-encoder as the judge of passages, each read with its title. */
export function judgeByCrossEncoder(model: Pick<CrossEncoder, "score">): Judge {
  return (query, passages, signal) => model.score(query, passages.map(readText), signal);
}

function readText({ title, text }: Passage): string {
  return title === "" || text.startsWith(title) ? text : `${title}\n${text}`;
}

interface Pair {
  readonly ids: readonly number[];
  /** 0 for the query's tokens, 1 for the passage's. */
  readonly types: readonly number[];
}

/** The special tokens stay also where the passage is cut. An empty passage is one of a space: without any there would be no pair. */
function pairOf(tokenizer: Tokenizer, query: string, text: string, maxTokens: number): Pair {
  const { ids, token_type_ids: types } = tokenizer.encode(query, { text_pair: text === "" ? " " : text, return_token_type_ids: true });
  if (ids.length <= maxTokens) return { ids, types };
  return { ids: [...ids.slice(0, maxTokens - 1), ids.at(-1)!], types: types.slice(0, maxTokens) };
}

function feeds({ inputNames }: Session, pairs: readonly Pair[], pad: number): Tensors {
  const length = Math.max(...pairs.map(({ ids }) => ids.length));
  const rows = (of: (pair: Pair) => readonly number[], padding: number): Tensors[string] =>
    int64(
      pairs.flatMap((pair) => [...of(pair), ...Array.from({ length: length - pair.ids.length }, () => padding)]),
      [pairs.length, length],
    );
  const all: Tensors = {
    input_ids: rows(({ ids }) => ids, pad),
    attention_mask: rows(({ ids }) => ids.map(() => 1), 0),
    token_type_ids: rows(({ types }) => types, 0),
  };
  return Object.fromEntries(inputNames.map((name) => [name, all[name]!]));
}

function logitsOf(outputs: Tensors, pairs: number, folder: string): readonly number[] {
  const { logits } = outputs;
  const classes = logits?.dims[1] ?? 0;
  if (logits?.type !== "float32" || classes < 1 || classes > 2)
    throw new UserError(`${folder} holds no cross-encoder: its model gives no logits of 1 or 2 classes. Name another folder.`);
  return Array.from({ length: pairs }, (_, row) => (classes === 1 ? logits.data[row]! : logits.data[2 * row + 1]! - logits.data[2 * row]!));
}
