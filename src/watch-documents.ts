// Stays with an index and brings it to what its documents are whenever they change.
import { resolve } from "node:path";
import { FileWatch, type FileWatchOptions } from "./document/file-watch.ts";
import { isUrl } from "./document/url.ts";
import { UserError } from "./errors.ts";
import { type IndexDocumentsOptions, type IndexEvent, indexOnce, openEmbedding } from "./index-documents.ts";
import { readManifest } from "./retriever/manifest.ts";

export interface WatchDocumentsOptions extends IndexDocumentsOptions, FileWatchOptions {
  /** Milliseconds between two questions to a server for a new version of a page. Default: 300,000. */
  readonly askEvery?: number;
}

export type WatchEvent =
  | IndexEvent
  /** All is as it is on disk: waiting for changes. */
  | { readonly kind: "waiting"; readonly polling: boolean }
  /** Why the index could not be brought to what its documents are; told once, tried again with the next change. */
  | { readonly kind: "problem"; readonly message: string };

/**
 * As `indexDocuments`, then again whenever files change, and from time to time for pages. Ends when the signal says so, without an error;
 * the index is whole then. A file that cannot be read is told once, until it changes.
 * @throws {UserError} as `indexDocuments` does, of the first time.
 */
export async function* watchDocuments(options: WatchDocumentsOptions): AsyncGenerator<WatchEvent, void, void> {
  const { index, askEvery = 300_000, documents: _, forget: __, ...again } = options;
  try {
    await using embedding = yield* openEmbedding(options, await readManifest(index));
    using files = new FileWatch(options);
    const failed = new Map<string, string>();
    yield* indexOnce({ ...options, kept: await readManifest(index), embedding, failed });
    let [asked, problem]: [number, string | undefined] = [performance.now(), undefined];
    for (;;) {
      const where = await whereOf(index);
      // From here on changes are seen: those before are found by looking once more.
      const seen = await files.look(where);
      const askServers = performance.now() - asked >= askEvery;
      if (askServers) asked = performance.now();
      const told = yield* tried(indexOnce({ ...again, index, kept: await readManifest(index), embedding, failed, askServers }));
      if (told !== undefined && told !== problem) yield { kind: "problem", message: told };
      problem = told;
      yield { kind: "waiting", polling: files.polling };
      const within = where.pages ? askEvery - (performance.now() - asked) : Number.MAX_SAFE_INTEGER;
      await files.change(where, seen, { within, signal: options.signal });
      options.signal?.throwIfAborted();
    }
  } catch (error) {
    if (options.signal?.aborted !== true) throw error;
  }
}

/** What the user can mend ends no watch. */
async function* tried(round: AsyncGenerator<IndexEvent, void, void>): AsyncGenerator<IndexEvent, string | undefined, void> {
  try {
    yield* round;
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

async function whereOf(index: string): Promise<{ readonly paths: readonly string[]; readonly folder: string; readonly pages: boolean }> {
  const { folder, paths } = (await readManifest(index))!.sources;
  return { folder: resolve(index, folder), paths: paths.filter((path) => !isUrl(path)), pages: paths.some(isUrl) };
}
