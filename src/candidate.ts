// A complete system that can answer, as plain data: what `candidates/<id>.json` holds, with the manifest of how it was made.
import type { AdapterFile, Decoding, ModelReference } from "./model.ts";
import type { LabelledExample } from "./task.ts";

/** A file a candidate needs: its path below the run's folder, bytes and SHA-256. */
export interface Artefact {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The model a candidate answers with: as the task named it, or a file that a strategy wrote. */
export interface CandidateModel {
  readonly name: string;
  readonly reference: ModelReference;
  /** Set when a strategy wrote the weights: full fine-tuning, training from scratch. */
  readonly trained?: Artefact;
  /** A base model that was only ever trained to continue text is asked by plain completion. */
  readonly chat: boolean;
}

export interface Demonstration {
  readonly id: string;
  readonly group?: string;
  readonly input: string;
  readonly output: string;
  /** Passages shown with it, where the prompt shows passages. */
  readonly passages?: readonly string[];
}

export type Demonstrations =
  | { readonly kind: "none" }
  | { readonly kind: "fixed"; readonly examples: readonly Demonstration[] }
  | {
      readonly kind: "nearest";
      readonly count: number;
      readonly similarity: "tf-idf";
      /** Nearest last stands closest to the question. */
      readonly order: "nearest-last" | "nearest-first";
      readonly pool: readonly Demonstration[];
    };

/** chat: system + turns; message: everything in one user turn; completion: plain text, no template. */
export type PromptFormat = "chat" | "message" | "completion";

export interface Prompt {
  readonly format: PromptFormat;
  readonly instruction: string;
  readonly demonstrations: Demonstrations;
  /** Whether the closed set is listed after the instruction. */
  readonly listLabels: boolean;
  /** Words before the input and before the answer in message and completion formats. */
  readonly inputPrefix: string;
  readonly outputPrefix: string;
}

export type Scorer = "tf-idf" | "bm25" | "dense" | "hybrid" | "convex";

/** Documents + index + embedding + query settings; query in, ranked passages out. Plain data: the index is rebuilt or loaded by its content key. */
export interface RetrieverSettings {
  readonly scorer: Scorer;
  /** Passage size and overlap in words (counted as runs of non-space characters). */
  readonly chunk: { readonly words: number; readonly overlap: number; readonly method?: "structure" | "sentences" | "fixed" | "semantic" };
  /** Catalogue name of the embedding model, for dense and hybrid. */
  readonly embedding?: string;
  readonly topK: number;
  /** Of convex: how much the embeddings count, 0 to 1. Equal weights where left out. */
  readonly weight?: number;
  /** How much of a passage's score its nearest among those found decide, 0 to 1: passages that are alike score alike. */
  readonly neighbours?: number;
  /** A map of the queries' embeddings that was learnt from questions and the passages that answer them. */
  readonly queryMap?: Artefact;
  /** Words of what is found first are added to the query. */
  readonly feedback?: boolean;
  /**
   * The candidate's own model, without its adapter, rewrites the query: other wordings, its parts, a passage imagined, a follow-up
   * as a question that stands by itself.
   */
  readonly rewrite?: "rephrase" | "decompose" | "hyde" | "condense";
  /** How far ties between documents are followed from what is found: neighbours in a graph. 0 where left out. */
  readonly hops?: 1 | 2;
  /** So many passages are read and ranked again by the candidate's own model, without its adapter, or by `crossEncoder`. */
  readonly rerank?: number;
  /** Folder of a cross-encoder that reads them in the model's place. */
  readonly crossEncoder?: string;
  /** At most this many tokens of passages go into a prompt, by the model's own tokeniser; words where no model answers. */
  readonly budget: number;
  readonly order: "best-first" | "best-last";
  /** Passages as they are, or summarised first by the candidate's own model in at most `maxTokens`. */
  readonly summarise?: { readonly maxTokens: number };
  /** Only those sentences of the passages that match the question best, at most so many tokens of them. */
  readonly compress?: { readonly tokens: number };
  readonly bm25?: { readonly k1: number; readonly b: number };
}

/** Says `text` in place of an answer where the confidence of what was retrieved, from 0 to 1, is below `threshold`. */
export interface Abstention {
  readonly text: string;
  readonly threshold: number;
}

export interface ManifestStep {
  readonly strategy: string;
  readonly parameters: { readonly [name: string]: unknown };
  readonly seconds: number;
  readonly note?: string;
}

/** How the candidate was made, from what, with which seed, and what it took. */
export interface Manifest {
  /** The chain as written: `rag-bm25 > lora`. */
  readonly strategy: string;
  readonly steps: readonly ManifestStep[];
  readonly parents: readonly string[];
  readonly seed: number;
  readonly labelledExamples: number;
  readonly build: { readonly seconds: number; readonly peakMemoryBytes: number };
  readonly weightsChanged: boolean;
  /** Score of the first metric on validation, where the strategy measured it. */
  readonly validation?: number;
  readonly artefacts: readonly Artefact[];
  /** Loss by epoch, for candidates that were trained. */
  readonly training?: readonly { readonly epoch: number; readonly trainLoss: number; readonly validationLoss: number }[];
}

interface Base {
  readonly id: string;
  readonly manifest: Manifest;
}

export interface GenerateCandidate extends Base {
  readonly kind: "generate";
  readonly model: CandidateModel;
  readonly adapter?: AdapterFile;
  readonly retriever?: RetrieverSettings;
  readonly abstention?: Abstention;
  readonly prompt: Prompt;
  readonly decoding: Decoding;
}

/** No language model: a linear classifier over TF-IDF, the nearest training example, or the best sentences of the best passages. */
export type Classifier =
  | {
      readonly kind: "linear";
      readonly labels: readonly string[];
      readonly terms: readonly string[];
      readonly inverseDocumentFrequency: readonly number[];
      /** weights[label][term], then a bias per label. */
      readonly weights: readonly (readonly number[])[];
      readonly bias: readonly number[];
    }
  | { readonly kind: "nearest"; readonly pool: readonly Demonstration[] }
  | {
      readonly kind: "extract";
      readonly retriever: RetrieverSettings;
      /** Sentences at most. Default: 1. */
      readonly sentences?: number;
      /** What rewrites queries and reads passages, where the retriever is to. */
      readonly model?: CandidateModel;
      readonly abstention?: Abstention;
    };

export interface ClassifyCandidate extends Base {
  readonly kind: "classify";
  readonly classifier: Classifier;
}

/** Asks the cheap one, then the better one when the first is less sure than the threshold. */
export interface CascadeCandidate extends Base {
  readonly kind: "cascade";
  readonly first: Candidate;
  readonly second: Candidate;
  readonly threshold: number;
}

/** Sends each input to the candidate that a linear router, trained on validation outcomes, names. */
export interface RouteCandidate extends Base {
  readonly kind: "route";
  readonly router: Classifier & { readonly kind: "linear" };
  /** By the router's label. */
  readonly candidates: { readonly [label: string]: Candidate };
}

export type Candidate = GenerateCandidate | ClassifyCandidate | CascadeCandidate | RouteCandidate;

/** A training example as a demonstration; its id and group let it be left out for itself. */
export function asDemonstration(example: LabelledExample): Demonstration {
  const { id, input, output, group } = example;
  return { id, input, output, ...(group === undefined ? {} : { group }) };
}

/** Everything the answers depend on, and nothing that varies between equal builds (seconds, memory): the cache's key is its hash. */
export function answeringPart(candidate: Candidate): unknown {
  const { manifest: _manifest, id: _id, ...rest } = candidate;
  if (rest.kind === "cascade") return { ...rest, first: answeringPart(rest.first), second: answeringPart(rest.second) };
  if (rest.kind === "route") {
    return { ...rest, candidates: Object.fromEntries(Object.entries(rest.candidates).map(([label, one]) => [label, answeringPart(one)])) };
  }
  if (rest.kind === "generate") return withoutPaths(rest);
  return rest;
}

/** A trained file is the same file wherever it lies: its hash stays, its path goes. */
function withoutPaths(candidate: Omit<GenerateCandidate, "id" | "manifest">): unknown {
  const { trained } = candidate.model;
  const model =
    trained === undefined ? candidate.model : { name: candidate.model.name, chat: candidate.model.chat, sha256: trained.sha256 };
  const adapter = candidate.adapter === undefined ? undefined : { sha256: candidate.adapter.sha256, scale: candidate.adapter.scale };
  const { retriever } = candidate;
  if (retriever?.queryMap === undefined) return { ...candidate, model, adapter };
  return { ...candidate, model, adapter, retriever: { ...retriever, queryMap: retriever.queryMap.sha256 } };
}

/** Every candidate inside, itself first. */
export function partsOf(candidate: Candidate): readonly Candidate[] {
  if (candidate.kind === "cascade") return [candidate, ...partsOf(candidate.first), ...partsOf(candidate.second)];
  if (candidate.kind === "route") return [candidate, ...Object.values(candidate.candidates).flatMap(partsOf)];
  return [candidate];
}

/** The models that answering may ask. */
export function modelsOf(candidate: Candidate): readonly CandidateModel[] {
  return partsOf(candidate).flatMap((part) => {
    if (part.kind === "generate") return [part.model];
    return part.kind === "classify" && part.classifier.kind === "extract" ? (part.classifier.model ?? []) : [];
  });
}

export function retrieversOf(candidate: Candidate): readonly RetrieverSettings[] {
  return partsOf(candidate).flatMap((part) => {
    if (part.kind === "generate") return part.retriever === undefined ? [] : [part.retriever];
    if (part.kind === "classify" && part.classifier.kind === "extract") return [part.classifier.retriever];
    return [];
  });
}

/** Whether nothing leaves this machine when it answers: a trained file is here, and so is what a name or a path stands for. */
export function usesOnlyLocalModels(candidate: Candidate): boolean {
  return modelsOf(candidate).every((model) => model.trained !== undefined || typeof model.reference === "string");
}

/** Whether the candidate's own weights are the ones its manifest tells the training of. */
export function isTrainedHere(candidate: Candidate): boolean {
  return candidate.kind === "generate" && (candidate.adapter !== undefined || candidate.model.trained !== undefined);
}
