// What a model is: text in, text out, with what it took. Knows nothing of files, runtimes or servers.

export type Role = "system" | "user" | "assistant";

export interface Message {
  readonly role: Role;
  readonly content: string;
}

/**
 * What a model is given. `shared` counts the leading messages (or characters) that every input of the same candidate begins
 * with: the model decodes that prefix once, always as a chunk of its own, so that reuse never changes a result.
 */
export type ModelInput =
  | { readonly kind: "chat"; readonly messages: readonly Message[]; readonly shared: number }
  | { readonly kind: "completion"; readonly text: string; readonly shared: number };

/** A JSON schema as a plain object. */
export type JsonSchema = { readonly [key: string]: unknown };

/** What may be written: anything, one label of a closed set, or JSON under a schema. */
export type Constraint =
  | { readonly kind: "free" }
  | { readonly kind: "labels"; readonly labels: readonly string[] }
  | { readonly kind: "schema"; readonly schema: JsonSchema };

/** How the answer is written. Temperature 0 is greedy. */
export interface Decoding {
  readonly constraint: Constraint;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly stop: readonly string[];
}

/** LoRA weights on top of a model: a GGUF file, its content hash and the scale at which it is applied. */
export interface AdapterFile {
  readonly path: string;
  readonly sha256: string;
  readonly scale: number;
}

export interface TokenCount {
  readonly input: number;
  readonly output: number;
}

export interface GenerateRequest {
  readonly input: ModelInput;
  readonly decoding: Decoding;
  readonly adapter?: AdapterFile;
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Called with each piece of text as it is written, where the model can stream. */
  readonly onText?: (piece: string) => void;
}

export interface Generation {
  readonly text: string;
  readonly tokens: TokenCount;
  /** Seconds from the request to the last token, waiting in a queue left out. */
  readonly seconds: number;
  readonly finish: "stop" | "length";
  /** For a closed set: the natural-log probability of each label, normalised over the set. */
  readonly labels?: { readonly [label: string]: number };
  /** Mean natural-log probability of the tokens written, where the model gives it. */
  readonly confidence?: number;
}

/** Token ids of a training text: `tokens[promptLength..]` is the completion, the only part that is learnt. */
export interface TokenSequence {
  readonly tokens: readonly number[];
  readonly promptLength: number;
}

/** A request no server or time-out answered: nobody's fault, so the example leaves every pair. */
export class ModelUnavailable extends Error {
  override readonly name = "ModelUnavailable";
}

/** The input does not fit the model: the candidate's fault. */
export class ContextOverflow extends Error {
  override readonly name = "ContextOverflow";
}

/** A language model that answers. Disposable: it may hold memory or a process. */
export interface LanguageModel extends AsyncDisposable {
  readonly id: string;
  /** Changes whenever its answers could: file hash, runtime version, threads; or server address and model name. */
  readonly key: string;
  readonly contextLength: number;
  readonly local: boolean;
  /** Money in dollars for a million tokens, where it is known. */
  readonly price?: { readonly input: number; readonly output: number };
  /** @throws {ModelUnavailable} {@link ContextOverflow} */
  generate(request: GenerateRequest): Promise<Generation>;
  /** Tokens of a text without special tokens; an estimate (4 characters a token) where the model is remote. */
  countTokens(text: string): number;
}

/** A model whose file is here: its tokens and the file itself can be had, so it can be tuned. */
export interface LocalLanguageModel extends LanguageModel {
  readonly local: true;
  readonly path: string;
  readonly bytes: number;
  /** The rendered input and the completion as token ids, exactly as `generate` would see and end them. */
  tokenize(input: ModelInput, completion: string): TokenSequence;
  /** Plain text as token ids, for continued training and loss per byte. */
  tokenizeText(text: string): readonly number[];
  /**
   * Natural-log probability of every token of `tokens` from place `from` on (default: 1, all but the first), given those before it.
   * Length: tokens.length - from. The fewer are asked for, the quicker.
   */
  score(tokens: readonly number[], adapter?: AdapterFile, from?: number): Promise<readonly number[]>;
}

export function isLocal(model: LanguageModel): model is LocalLanguageModel {
  return model.local && "tokenize" in model;
}

export type MediaKind = "image" | "sound";

/** A picture or a sound, as the bytes of its file. */
export interface Media {
  readonly kind: MediaKind;
  readonly bytes: Uint8Array;
}

/** Turns texts into unit vectors of `dimensions` numbers. */
export interface EmbeddingModel extends AsyncDisposable {
  readonly id: string;
  readonly key: string;
  readonly dimensions: number;
  embed(texts: readonly string[], signal?: AbortSignal): Promise<readonly Float32Array[]>;
  /** Of a multi-modal model: the unit vector of a picture or a sound, among those of texts. Throws Unreadable where it can't be read. */
  readonly media?: {
    readonly kinds: readonly MediaKind[];
    embed(media: Media, signal?: AbortSignal): Promise<Float32Array>;
  };
}

/** What a task names: a catalogue name, a path to a GGUF file, or a server that speaks the OpenAI protocol. */
export type ModelReference =
  | string
  | {
      readonly url: string;
      readonly model: string;
      /** Name of the environment variable that holds the key; the key itself is never written anywhere. */
      readonly keyVariable?: string;
      readonly contextLength?: number;
      readonly price?: { readonly input: number; readonly output: number };
    };
