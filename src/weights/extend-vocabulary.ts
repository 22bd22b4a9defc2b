// A GGUF model with more tokens for a field's own words: tokenizer and tables longer, all the rest copied as it is packed.
import { UserError } from "../errors.ts";
import type { BpeModel } from "../tokenizer/bpe.ts";
import { extendBpe, type ExtendedBpe, type NewToken } from "../tokenizer/extend-bpe.ts";
import { longerLists, tokenizerFromGguf } from "../tokenizer/gguf-tokenizer.ts";
import { readTensor, readTensorBytes, type GgufFile, type GgufTensor } from "./gguf-read.ts";
import type { Metadata } from "./gguf-metadata.ts";
import { writeGguf, type PackedTensor, type TensorToWrite } from "./gguf-write.ts";

export interface ExtendVocabularyOptions {
  readonly base: GgufFile;
  readonly path: string;
  /** Plain text of the field. */
  readonly texts: Iterable<string>;
  /** New tokens at most. */
  readonly count: number;
  readonly signal?: AbortSignal | undefined;
}

/** What has a row a token: the embedding, and the output layer of a model that has one of its own. */
const tables = new Set(["token_embd.weight", "output.weight"]);

/**
 * Writes the base with new tokens for the texts and returns them. A new row is the mean of the rows of the pieces that the token stands
 * for (Gee et al. 2022, https://arxiv.org/abs/2402.09977): inside what the model knows, where a row drawn at random would take all the
 * probability (Hewitt 2021, https://nlp.stanford.edu/~johnhew/vocab-expansion.html). The tables are stored as F32, their old rows exactly
 * as they are read from the base.
 * @throws {UserError} for a model whose tokenizer is no byte-level BPE, or does not go with its tables.
 */
export async function extendVocabulary({ base, path, texts, count, signal }: ExtendVocabularyOptions): Promise<ExtendedBpe> {
  const extended = extendBpe({ model: modelOf(base), texts, count });
  const before = extended.model.tokens.length - extended.added.length;
  const tensors = Array.from(base.tensors.values(), (tensor): TensorToWrite | PackedTensor => {
    if (!tables.has(tensor.name)) return { ...tensor, packed: () => readTensorBytes(base, tensor.name) };
    checkRows(base, tensor, before);
    const [, width = 0] = tensor.shape;
    const data = async () => withMeans(await readTensor(base, tensor.name), width, extended.added);
    return { name: tensor.name, shape: [extended.model.tokens.length, width], type: "F32", data };
  });
  await writeGguf({ path, metadata: metadataOf(base, extended), metadataTypes: base.metadataTypes, tensors, ...(signal && { signal }) });
  return extended;
}

function modelOf({ path, metadata }: GgufFile): BpeModel {
  try {
    return tokenizerFromGguf(metadata).model;
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(`${path} can't be given new tokens: ${cause.message} Or leave newTokens out.`, { cause });
  }
}

function checkRows({ path }: GgufFile, { name, shape }: GgufTensor, tokens: number): void {
  if (shape.length === 2 && shape[0] === tokens) return;
  throw new UserError(
    `${path} has ${tokens} tokens, and its tensor ${name} is [${shape.join(", ")}]: the file is broken. Fetch or export it again.`,
  );
}

/** The rows of a table, and below them one for each new token. */
function withMeans(rows: Float32Array, width: number, added: readonly NewToken[]): Float32Array {
  const longer = new Float32Array(rows.length + added.length * width);
  longer.set(rows);
  for (const [index, { pieces }] of added.entries()) {
    for (let column = 0; column < width; column++) {
      const sum = pieces.reduce((total, piece) => total + rows[piece * width + column]!, 0);
      longer[rows.length + index * width + column] = sum / pieces.length;
    }
  }
  return longer;
}

function metadataOf({ metadata }: GgufFile, { model }: ExtendedBpe): Metadata {
  const size = `${String(metadata["general.architecture"])}.vocab_size`;
  return { ...metadata, ...longerLists(metadata, model), ...(metadata[size] === undefined ? {} : { [size]: model.tokens.length }) };
}
