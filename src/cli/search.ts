// `sartor search`: passages of an index for a query; queries from standard input, a line each.
import { createInterface } from "node:readline";
import {
  dayNamed,
  mediaNames,
  readMedia,
  type SearchIndexOptions,
  openSearchIndex,
  pagesNamed,
  parseCondition,
  type Passage,
  type Scorer,
  UserError,
} from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { number, share, wholeNumber } from "./options.ts";

interface SearchVerbOptions {
  readonly index: string;
  readonly method?: Scorer;
  readonly limit: string;
  readonly where?: readonly string[];
  readonly unit?: NonNullable<SearchIndexOptions["unit"]>;
  readonly descend?: boolean;
  readonly feedback?: boolean;
  readonly rewrite?: NonNullable<SearchIndexOptions["rewrite"]>;
  readonly hops?: string;
  readonly rerank?: string;
  readonly rerankWith?: string;
  readonly like?: string;
  readonly model?: string;
  readonly mmr?: string;
  readonly weight?: string;
  readonly k1?: string;
  readonly b?: string;
  readonly trec?: boolean;
  readonly json?: boolean;
}

interface Query {
  readonly id: string;
  readonly text: string;
}

export async function searchVerb(query: string | undefined, options: SearchVerbOptions): Promise<void> {
  const signal = interruptSignal();
  const like = options.like === undefined ? undefined : await readMedia(options.like);
  const searching: SearchIndexOptions = {
    k: wholeNumber(options.limit, "--limit"),
    onePerDocument: options.trec === true,
    where: (options.where ?? []).map(parseCondition),
    signal,
    bm25: {
      ...(options.k1 === undefined ? {} : { k1: number(options.k1, "--k1") }),
      ...(options.b === undefined ? {} : { b: number(options.b, "--b") }),
    },
    ...(options.descend && { descend: {} }),
    ...(options.feedback && { feedback: true }),
    ...(options.rewrite && { rewrite: options.rewrite }),
    ...(options.rerank === undefined ? {} : { rerank: wholeNumber(options.rerank, "--rerank") }),
    ...(options.rerankWith !== undefined && { crossEncoder: options.rerankWith }),
    ...(options.hops === undefined ? {} : { hops: wholeNumber(options.hops, "--hops") }),
    ...(options.unit && { unit: options.unit }),
    ...(options.mmr === undefined ? {} : { mmr: share(options.mmr, "--mmr") }),
    ...(options.weight === undefined ? {} : { weight: share(options.weight, "--weight") }),
    ...(options.method && { method: options.method }),
    ...(like && { like }),
  };
  await using index = await openSearchIndex({
    index: options.index,
    environment: readEnvironment(),
    signal,
    ...(options.model && { model: options.model }),
  });
  let asked = 0;
  for await (const one of query === undefined && like === undefined ? queries() : [{ id: "1", text: query ?? "" }]) {
    const passages = await index.search(one.text, searching);
    asked++;
    if (passages.length > 0 || options.trec !== true) console.log(shown(one, passages, options));
  }
  if (asked === 0) throw new UserError('No query was given. Write: sartor search "opening hours in winter"');
}

/** A line is a query; one with a tab is a query's id, then its text. */
async function* queries(): AsyncIterable<Query> {
  if (process.stdin.isTTY) process.stderr.write("A query a line; end with Ctrl-D.\n");
  let number = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === "") continue;
    const [, id, text] = /^(\S+)\t(.*)$/u.exec(line) ?? [];
    number++;
    yield { id: id ?? String(number), text: text ?? line };
  }
}

function shown({ id, text }: Query, passages: readonly Passage[], { trec = false, json = false, method }: SearchVerbOptions): string {
  if (json) return JSON.stringify({ id, query: text, passages });
  if (trec)
    return passages
      .map(({ document, score }, index) => `${id} Q0 ${encodeURI(document)} ${index + 1} ${score.toFixed(6)} sartor-${method ?? "default"}`)
      .join("\n");
  if (passages.length === 0) return "Nothing found.";
  return passages.map(passageLines).join("\n\n");
}

function passageLines(passage: Passage, index: number): string {
  const { title, document, start, end, text, score, media } = passage;
  const line = (text === "" && media !== undefined ? `(${mediaNames[media]})` : text).replace(/\s+/gu, " ");
  const place = [
    document,
    pagesNamed(passage),
    media === undefined ? `${start}-${end}` : "",
    dayNamed(passage) === "" ? "" : `changed ${dayNamed(passage)}`,
  ]
    .filter((part) => part !== "")
    .join(", ");
  return `${String(index + 1).padStart(2)}  ${title}  (${place}; ${score.toFixed(3)})\n    ${line.length > 240 ? `${line.slice(0, 240)}...` : line}`;
}
