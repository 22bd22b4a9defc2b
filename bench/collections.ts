// Public test collections for retrieval: documents, and queries with the documents that answer them. Set up as in shared/data/README.md.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Document } from "../src/task.ts";
import type { Turn } from "../src/util/transcript.ts";

export interface Collection {
  readonly documents: readonly Document[];
  readonly queries: readonly CollectionQuery[];
}

export interface CollectionQuery {
  readonly id: string;
  readonly text: string;
  readonly relevant: ReadonlySet<string>;
  /** The conversation whose last question the text is, where it is of one. */
  readonly turns?: readonly Turn[];
  /** Queries of one group are held out together: an article's, a conversation's. */
  readonly group?: string;
}

/** Figures of Python software: BM25 with k1 .9 and b .4, MiniLM in fp32, ranks fused (RRF), standardised scores added (convex). */
export interface Reference {
  readonly bm25: number;
  readonly dense: number;
  readonly hybrid: number;
  readonly convex: number;
  /** R@100 of BM25 and of MiniLM in int8, where it is known. */
  readonly recall?: { readonly bm25: number; readonly dense: number };
}

export interface Source {
  readonly name: string;
  readonly read: (data: string) => Promise<Collection>;
  readonly reference: Reference;
}

const beir = (name: string) => ({ name, read: (data: string) => readBeir(join(data, name, "beir")) });

export const sources: readonly Source[] = [
  { ...beir("cranfield"), reference: { bm25: 0.358, dense: 0.395, hybrid: 0.423, convex: 0.421, recall: { bm25: 0.718, dense: 0.779 } } },
  { ...beir("cisi"), reference: { bm25: 0.362, dense: 0.421, hybrid: 0.453, convex: 0.444, recall: { bm25: 0.43, dense: 0.486 } } },
  { ...beir("cacm"), reference: { bm25: 0.466, dense: 0.409, hybrid: 0.555, convex: 0.554, recall: { bm25: 0.635, dense: 0.71 } } },
  { ...beir("vaswani"), reference: { bm25: 0.438, dense: 0.434, hybrid: 0.513, convex: 0.51, recall: { bm25: 0.619, dense: 0.605 } } },
  {
    name: "squad2_cs224n",
    read: (data) => readSquad(join(data, "squad2_cs224n", "dev-v2.0.json")),
    reference: { bm25: 0.889, dense: 0.807, hybrid: 0.887, convex: 0.916 },
  },
  {
    name: "mtrag",
    read: (data) => readMtrag(join(data, "mtrag", "mtrag_un_reference.answerable.jsonl")),
    reference: { bm25: 0.763, dense: 0.807, hybrid: 0.829, convex: 0.856 },
  },
];

async function jsonLines<T>(path: string): Promise<T[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as T);
}

/** The title is part of the text: many documents of cacm have nothing else. */
async function readBeir(folder: string): Promise<Collection> {
  const records = (name: string) => jsonLines<{ _id: string; title: string; text: string }>(join(folder, name));
  const judgements = (await readFile(join(folder, "qrels.tsv"), "utf8")).split("\n").slice(1);
  const relevant = new Map<string, Set<string>>();
  for (const line of judgements) {
    const [query = "", document = "", score] = line.split("\t");
    if (Number(score) > 0) relevant.set(query, (relevant.get(query) ?? new Set()).add(document));
  }
  return {
    documents: (await records("corpus.jsonl")).map(({ _id, title, text }) => document(_id, `${title}\n${text}`)),
    queries: (await records("queries.jsonl")).flatMap(({ _id, text }) =>
      relevant.has(_id) ? [{ id: _id, text, relevant: relevant.get(_id)! }] : [],
    ),
  };
}

interface Squad {
  readonly data: readonly {
    readonly title: string;
    readonly paragraphs: readonly {
      readonly context: string;
      readonly qas: readonly { readonly id: string; readonly question: string; readonly is_impossible: boolean }[];
    }[];
  }[];
}

/** Paragraphs as documents, answerable questions as queries. */
async function readSquad(path: string): Promise<Collection> {
  const { data } = JSON.parse(await readFile(path, "utf8")) as Squad;
  const paragraphs = data.flatMap(({ title, paragraphs: own }) => own.map((paragraph) => ({ ...paragraph, title })));
  return {
    documents: paragraphs.map(({ context }, index) => document(String(index), context)),
    queries: paragraphs.flatMap(({ qas, title }, index) =>
      qas
        .filter((qa) => !qa.is_impossible)
        .map(({ id, question }) => ({ id, text: question, relevant: new Set([String(index)]), group: title })),
    ),
  };
}

interface Conversation {
  readonly conversation_id: string;
  readonly task_id: string;
  readonly contexts: readonly { readonly document_id: string; readonly title?: string; readonly text: string }[];
  readonly input: readonly { readonly speaker: string; readonly text: string }[];
}

/** The last turn of each conversation as a query; every reference passage of any as a document. */
async function readMtrag(path: string): Promise<Collection> {
  const conversations = await jsonLines<Conversation>(path);
  const passages = new Map(conversations.flatMap(({ contexts }) => contexts.map((one) => [one.document_id, one] as const)));
  return {
    documents: Array.from(passages.values(), ({ document_id, title = "", text }) => document(document_id, `${title}\n${text}`)),
    queries: conversations.map(({ conversation_id, task_id, contexts, input }) => ({
      id: task_id,
      group: conversation_id,
      text: input.at(-1)!.text,
      turns: input.map(({ speaker, text }) => ({ role: speaker === "user" ? "user" : "assistant", content: text })),
      relevant: new Set(contexts.map((one) => one.document_id)),
    })),
  };
}

function document(id: string, text: string): Document {
  return { id, title: "", text, sha256: "" };
}
