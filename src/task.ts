// What the user wants: an instruction, an output kind, examples, documents, metrics, constraints, usage. Types and tiny pure
// functions; knows nothing of files.
import type { JsonSchema, MediaKind, ModelReference } from "./model.ts";

/** A gold passage: characters `start` to `end` of the document's Markdown text. */
export interface Evidence {
  readonly document: string;
  readonly start: number;
  readonly end: number;
}

export interface Example {
  readonly id: string;
  readonly input: string;
  /** Text, a label, or JSON text under the task's schema. */
  readonly output?: string;
  /** Other outputs that are as good: for metrics, never learnt. */
  readonly alternatives?: readonly string[];
  /** Examples of one group never stand on two sides of the split. */
  readonly group?: string;
  readonly evidence?: readonly Evidence[];
  /** The same input, worded otherwise. */
  readonly variants?: readonly string[];
  /** Made from the documents, asked by nobody: what is measured on it says so. */
  readonly synthetic?: true;
}

/** An example whose answer is known. */
export type LabelledExample = Example & { readonly output: string };

export type OutputKind =
  | { readonly kind: "text" }
  | { readonly kind: "labels"; readonly labels: readonly string[] }
  | { readonly kind: "schema"; readonly schema: JsonSchema };

/** Characters `start` to `end` of a document's text stand on a page: of a PDF, a slide, a sheet. Pages count from 1. */
export interface Place {
  readonly page: number;
  readonly start: number;
  readonly end: number;
}

/** A file as Markdown. `id` is its path below the documents folder, with forward slashes. */
export interface Document {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly sha256: string;
  /** In order, where the format has pages. A page without text is left out. */
  readonly pages?: readonly Place[];
  /** Ids of documents that this one names: an entity's neighbours in a knowledge graph. */
  readonly neighbours?: readonly string[];
  /** When it was last changed, ISO 8601 in UTC: what it says of itself, else the date of its file or page. */
  readonly modified?: string;
  /** Of a picture or a sound: its text is its description, empty for most. */
  readonly media?: { readonly kind: MediaKind; readonly sha256: string };
}

/** What of a query's rows makes a document: by default each row is one, named by its number. */
export interface RowFields {
  readonly query: string;
  /** Column that names a row. */
  readonly id?: string;
  /** Column whose value is the document's title. */
  readonly title?: string;
  /** Column: rows of equal value are one document, a table. */
  readonly group?: string;
}

/** Where documents come from: a file, a folder, a pattern; a query over a database; a knowledge graph. */
export type DocumentSource =
  | string
  | (RowFields & {
      /** Path of an SQLite file. */
      readonly sqlite: string;
    })
  | (RowFields & {
      /** `postgres://...`, or `$NAME` for the value of an environment variable. */
      readonly postgres: string;
      /** What ids of its documents begin with. Default "postgres". */
      readonly name?: string;
    })
  | {
      /** Path of triples: N-Triples, Turtle, or CSV of subject, predicate, object. */
      readonly graph: string;
    };

/** The parts of `pages` that lie within [start, end). */
export function placesWithin(pages: readonly Place[], start: number, end: number): Place[] {
  return pages
    .filter((place) => place.start < end && start < place.end)
    .map((place) => ({ page: place.page, start: Math.max(start, place.start), end: Math.min(end, place.end) }));
}

export type Objective = "cost" | "latency" | "update";

/** Limits a candidate must keep: seconds, dollars, bytes. */
export interface Constraints {
  readonly p95?: number;
  readonly costPer1k?: number;
  readonly memory?: number;
  readonly local?: boolean;
}

export interface Usage {
  readonly requestsPerMonth: number;
  readonly updatesPerMonth: number;
  /** Months over which the build is paid off. */
  readonly months: number;
}

/** Prices in dollars; `source` says who stated them. */
export interface Prices {
  readonly machineHour?: number;
  readonly source: string;
}

export interface Split {
  readonly train: readonly LabelledExample[];
  readonly validation: readonly LabelledExample[];
  readonly test: readonly LabelledExample[];
}

export interface Task {
  readonly name: string;
  /** Absolute path of the task's folder; runs live below it in `.sartor/`. */
  readonly folder: string;
  readonly instruction: string;
  readonly output: OutputKind;
  readonly examples: readonly LabelledExample[];
  readonly documents: readonly Document[];
  /** The first is the one that decides. */
  readonly metrics: readonly string[];
  readonly models: readonly ModelReference[];
  readonly strategies: "all" | readonly string[];
  readonly objective: Objective;
  readonly tolerance: number;
  readonly constraints: Constraints;
  readonly usage: Usage;
  readonly prices?: Prices;
  readonly seed: number;
  /** Sentinel outputs that mean "the documents do not say", for tasks with unanswerable questions. */
  readonly abstention?: string;
}

/** What a strategy may know of a task: everything but the examples. */
export type TaskView = Omit<Task, "examples" | "folder" | "strategies" | "documents">;
