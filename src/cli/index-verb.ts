// `sartor index`: documents into an index folder, with progress on standard error.
import {
  type ChunkMethod,
  indexDocuments,
  type IndexDocumentsOptions,
  type IndexResult,
  watchDocuments,
  type WatchEvent,
} from "../index.ts";
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
  readonly watch?: boolean;
  readonly json?: boolean;
}

export async function indexVerb(documents: readonly string[], options: IndexVerbOptions): Promise<void> {
  const { index, forget, embedding, watch = false, json = false } = options;
  const progress = createProgress();
  progress.update("reading what is there");
  const asked: IndexDocumentsOptions = {
    index,
    documents,
    folder: process.cwd(),
    environment: readEnvironment(),
    signal: interruptSignal(),
    ...(forget && { forget }),
    ...(embedding === undefined ? {} : { embedding }),
    ...(options.summaries === undefined ? {} : { summaries: options.summaries }),
    ...chunkOf(options),
  };
  const print = printer({ index, watch, json });
  for await (const event of watch ? watchDocuments(asked) : indexDocuments(asked)) {
    if (event.kind === "fetch" && event.event.kind === "progress")
      progress.update(`fetching ${event.event.file}`, event.event.received / event.event.total);
    if (event.kind === "document") progress.update(`${event.done}/${event.of} ${event.id}`, event.done / event.of);
    if (event.kind === "waiting") progress.update(event.polling ? "looking for changes again and again" : "waiting for changes");
    const lines = print(event);
    if (lines.length > 0) progress.clear();
    for (const line of lines) console.log(line);
  }
  progress.clear();
}

/** The lines of an event. The first round is told by its counts, the later ones of a watch by their changes, once they count. */
function printer({
  index,
  watch,
  json,
}: {
  readonly index: string;
  readonly watch: boolean;
  readonly json: boolean;
}): (event: WatchEvent) => readonly string[] {
  let first = true;
  let changes: { readonly change: string; readonly id: string }[] = [];
  return (event) => {
    if (event.kind === "change") changes.push({ change: event.change, id: event.id });
    if (event.kind === "problem") return [json ? JSON.stringify({ problem: event.message }) : `note: ${event.message}`];
    if (event.kind !== "done") return [];
    const { kind: _kind, ...result } = event;
    const [told, summed] = [changes, first];
    [changes, first] = [[], false];
    if (summed) return [json ? JSON.stringify(result, undefined, watch ? undefined : 2) : shown(result, index)];
    if (json) return told.length + result.notices.length === 0 ? [] : [JSON.stringify({ changes: told, notices: result.notices })];
    return [...told.map(({ change, id }) => `${change} ${id}`), ...result.notices.map((notice) => `note: ${notice}`)];
  };
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
