// `sartor index`: documents into an index folder, with progress on standard error.
import { type ChunkMethod, indexDocuments, type IndexDocumentsOptions, type IndexResult } from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { wholeNumber } from "./options.ts";
import { createProgress } from "./progress.ts";

interface IndexVerbOptions {
  readonly index: string;
  readonly forget?: readonly string[];
  readonly embedding?: string;
  readonly chunk?: ChunkMethod;
  readonly words?: string;
  readonly summaries?: boolean;
  readonly overlap?: string;
  readonly json?: boolean;
}

export async function indexVerb(documents: readonly string[], options: IndexVerbOptions): Promise<void> {
  const { index, forget, embedding, json = false } = options;
  const progress = createProgress();
  progress.update("reading what is there");
  const running = indexDocuments({
    index,
    documents,
    folder: process.cwd(),
    environment: readEnvironment(),
    signal: interruptSignal(),
    ...(forget && { forget }),
    ...(embedding === undefined ? {} : { embedding }),
    ...(options.summaries === undefined ? {} : { summaries: options.summaries }),
    ...chunkOf(options),
  });
  for await (const event of running) {
    if (event.kind === "fetch" && event.event.kind === "progress")
      progress.update(`fetching ${event.event.file}`, event.event.received / event.event.total);
    if (event.kind === "document") progress.update(`${event.done}/${event.of} ${event.id}`, event.done / event.of);
    if (event.kind !== "done") continue;
    progress.clear();
    const { kind: _kind, ...result } = event;
    console.log(json ? JSON.stringify(result, undefined, 2) : shown(result, index));
  }
}

function shown({ documents, added, changed, removed, unchanged, notices }: IndexResult, index: string): string {
  const parts = Object.entries({ added, changed, removed, unchanged }).flatMap(([what, count]) =>
    count === 0 ? [] : [`${count} ${what}`],
  );
  return [
    ...notices.map((notice) => `note: ${notice}`),
    `${index} holds ${documents} documents: ${parts.join(", ") || "nothing changed"}.`,
  ].join("\n");
}

function chunkOf({ chunk: method, words, overlap }: IndexVerbOptions): Pick<IndexDocumentsOptions, "chunk"> {
  if (method === undefined && words === undefined && overlap === undefined) return {};
  const size = words === undefined ? 200 : wholeNumber(words, "--words");
  const repeated = overlap === undefined ? Math.floor(size / 5) : wholeNumber(overlap, "--overlap");
  return { chunk: { words: size, overlap: repeated, ...(method && { method }) } };
}
