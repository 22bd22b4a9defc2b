// A byte-level BPE tokenizer to and from the `tokenizer.*` metadata of a GGUF file, as llama.cpp reads it. Opens no file.
import { UserError } from "../errors.ts";
import { createTokenizer, type BpeModel, type Tokenizer } from "./bpe.ts";
import { isPreTokeniser, preTokeniserNames } from "./pre-tokenise.ts";

/** `llama_token_type` of llama.cpp. */
const TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4 } as const;

export interface GgufTokenizerOptions {
  /** Names of special tokens. The text begins with `bosToken` only where `addBos` says so; `eosToken` ends an answer. */
  readonly bosToken: string;
  readonly eosToken: string;
  readonly addBos?: boolean;
  readonly chatTemplate?: string;
}

export type TokenizerMetadata = { readonly [key: string]: string | number | boolean | readonly string[] | readonly number[] };

/** The metadata under which llama.cpp tokenises exactly as `createTokenizer(model)` does. */
export function ggufTokenizerMetadata(
  model: BpeModel,
  { bosToken, eosToken, addBos = false, chatTemplate }: GgufTokenizerOptions,
): TokenizerMetadata {
  const special = new Set(model.specialTokens);
  const added = new Set(model.addedTokens);
  const idOf = (token: string): number => {
    const id = model.tokens.indexOf(token);
    if (id < 0 || !special.has(token))
      throw new UserError(
        `"${token}" is no special token of the vocabulary (it has: ${model.specialTokens.join(" ")}). Add it to specialTokens.`,
      );
    return id;
  };
  return {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": model.preTokeniser,
    "tokenizer.ggml.tokens": model.tokens,
    "tokenizer.ggml.token_type": model.tokens.map((token) =>
      special.has(token) ? TYPE.control : added.has(token) ? TYPE.userDefined : TYPE.normal,
    ),
    "tokenizer.ggml.merges": model.merges,
    "tokenizer.ggml.bos_token_id": idOf(bosToken),
    "tokenizer.ggml.eos_token_id": idOf(eosToken),
    "tokenizer.ggml.padding_token_id": idOf(eosToken),
    "tokenizer.ggml.add_bos_token": addBos,
    "tokenizer.ggml.add_space_prefix": false,
    ...(chatTemplate === undefined ? {} : { "tokenizer.chat_template": chatTemplate }),
  };
}

/** The lists of a file's tokenizer for a model that goes on from its own: new tokens are normal ones. */
export function longerLists(metadata: { readonly [key: string]: unknown }, { tokens, merges }: BpeModel): TokenizerMetadata {
  const filled = (key: string, value: number): readonly number[] => {
    const old = listOf(metadata, key, isNumber);
    return [...old, ...tokens.slice(old.length).map(() => value)];
  };
  return {
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.token_type": filled("tokenizer.ggml.token_type", TYPE.normal),
    "tokenizer.ggml.merges": merges,
    // Merges have their order and no scores; a list that is there must still be as long as the tokens.
    ...(metadata["tokenizer.ggml.scores"] === undefined ? {} : { "tokenizer.ggml.scores": filled("tokenizer.ggml.scores", 0) }),
  };
}

/** A tokenizer with what its file says about the ends of a text. */
export interface GgufTokenizer extends Tokenizer {
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** The file asks for `bosToken` before every text. */
  readonly addBos: boolean;
  readonly chatTemplate?: string;
}

/**
 * The tokenizer in the metadata of a GGUF file, in plain JavaScript: the ids are llama.cpp's.
 * @throws {UserError} for a file whose tokenizer is of another kind than byte-level BPE, or cuts texts by a rule unknown here.
 */
export function tokenizerFromGguf(metadata: { readonly [key: string]: unknown }): GgufTokenizer {
  const kind = metadata["tokenizer.ggml.model"];
  if (kind !== "gpt2")
    throw new UserError(
      `The file's tokenizer is of the kind ${JSON.stringify(kind)}, and only "gpt2" (byte-level BPE) can be read without llama.cpp. Use a model with such a tokenizer.`,
    );
  const pre = metadata["tokenizer.ggml.pre"];
  if (typeof pre !== "string" || !isPreTokeniser(pre)) {
    throw new UserError(
      `The file's tokenizer cuts texts by the rule ${JSON.stringify(pre)}, and known are ${preTokeniserNames.join(", ")}. Use a model with one of them.`,
    );
  }
  const tokens = listOf(metadata, "tokenizer.ggml.tokens", isText);
  const types = listOf(metadata, "tokenizer.ggml.token_type", isNumber);
  const ofType = (...wanted: readonly number[]): string[] => tokens.filter((_, id) => wanted.includes(types[id] ?? TYPE.normal));
  const tokenizer = createTokenizer({
    tokens,
    merges: listOf(metadata, "tokenizer.ggml.merges", isText),
    specialTokens: ofType(TYPE.control, TYPE.unknown),
    addedTokens: ofType(TYPE.userDefined),
    preTokeniser: pre,
  });
  const bosToken = tokens[Number(metadata["tokenizer.ggml.bos_token_id"] ?? -1)];
  const eosToken = tokens[Number(metadata["tokenizer.ggml.eos_token_id"] ?? -1)];
  const chatTemplate = metadata["tokenizer.chat_template"];
  return {
    ...tokenizer,
    // llama.cpp puts the first token of Llama 3 before a text unless the file says otherwise.
    addBos: (metadata["tokenizer.ggml.add_bos_token"] ?? pre === "llama-bpe") === true,
    ...(bosToken === undefined ? {} : { bosToken }),
    ...(eosToken === undefined ? {} : { eosToken }),
    ...(typeof chatTemplate === "string" ? { chatTemplate } : {}),
  };
}

const isText = (item: unknown): item is string => typeof item === "string";
const isNumber = (item: unknown): item is number => typeof item === "number";

function listOf<T>(metadata: { readonly [key: string]: unknown }, key: string, is: (item: unknown) => item is T): readonly T[] {
  const value = metadata[key];
  if (!Array.isArray(value) || !value.every(is))
    throw new UserError(`The file's metadata has no usable ${key}. Fetch or export the model again.`);
  return value;
}
