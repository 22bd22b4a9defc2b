// Tells when files that are named by paths, folders and patterns may have changed: by what the file system says of their folders, and where
// it says nothing (a network drive, too many folders) by looking again and again. Knows nothing of what is in them.
import { type FSWatcher, type Stats, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import { sha256 } from "../util/hash.ts";
import { findFiles, findFolders, type FindOptions } from "./find.ts";

export interface FileWatchOptions {
  /** Milliseconds of rest after a change: an editor writes a file in several steps. Default: 300. */
  readonly rest?: number;
  /** Milliseconds between two looks where the file system tells of changes; it may miss some. Default: 30,000. */
  readonly lookEvery?: number;
  /** The same where it does not. Default: 2,000. */
  readonly pollEvery?: number;
  /** Whether the file system is asked at all. Default: true. */
  readonly events?: boolean;
}

/** A file that goes on changing is read at the latest after so many rests. */
const MOST_RESTS = 10;

export class FileWatch implements Disposable {
  readonly #options: Required<FileWatchOptions>;
  readonly #watchers = new Map<string, FSWatcher>();
  #polling: boolean;
  /** What the file system told, and how much of it was looked at. */
  #changes = 0;
  #looked = 0;
  #ring: (() => void) | undefined;

  constructor({ rest = 300, lookEvery = 30_000, pollEvery = 2000, events = true }: FileWatchOptions = {}) {
    this.#options = { rest, lookEvery, pollEvery, events };
    this.#polling = !events;
  }

  /** Whether files are looked at again and again, since the file system does not tell. */
  get polling(): boolean {
    return this.#polling;
  }

  /** What the files are like now, as a text that changes with them. Folders that are new are watched from here on. */
  async look(where: FindOptions): Promise<string> {
    this.#looked = this.#changes;
    try {
      this.#watch(new Set(await findFolders(where)));
      const lines: string[] = [];
      for (const { id, path } of await findFiles(where)) {
        const file: Stats | undefined = await stat(path).catch(() => undefined);
        lines.push(`${id} ${file?.mtimeMs} ${file?.size}`);
      }
      return sha256(lines.join("\n"));
    } catch (error) {
      // Something named is gone, or goes while it is looked at.
      return messageOf(error);
    }
  }

  /** Resolves when the files are not as they were `seen`, after `within` milliseconds, or when the signal says so. */
  async change(
    where: FindOptions,
    seen: string,
    { within, signal }: { readonly within: number; readonly signal?: AbortSignal | undefined },
  ): Promise<void> {
    const end = performance.now() + within;
    while (signal?.aborted !== true) {
      const left = end - performance.now();
      if (left <= 0) return;
      await this.#hint(Math.min(left, this.#polling ? this.#options.pollEvery : this.#options.lookEvery), signal);
      if ((await this.look(where)) !== seen) return;
    }
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#polling && !this.#watchers.has(folder)) this.#watchFolder(folder);
  }

  #watchFolder(folder: string): void {
    // No more watches than the system gives, or a drive that has none: those there are stay, and all is looked at besides.
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        this.#changes++;
        this.#ring?.();
      });
      watcher.on("error", () => {
        watcher.close();
        this.#watchers.delete(folder);
        this.#polling = true;
        this.#ring?.();
      });
      this.#watchers.set(folder, watcher);
    } catch {
      this.#polling = true;
    }
  }

  /** Resolves after a change has come to rest, or when the time is up. */
  async #hint(most: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#changes === this.#looked) {
      const early = new AbortController();
      this.#ring = () => early.abort();
      await paused(most, signal === undefined ? early.signal : AbortSignal.any([signal, early.signal]));
      this.#ring = undefined;
    }
    let seen = this.#looked;
    for (let rests = 0; this.#changes !== seen && rests < MOST_RESTS; rests++) {
      seen = this.#changes;
      await paused(this.#options.rest, signal);
    }
  }
}

/** An aborted pause is over, no error. */
async function paused(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(milliseconds, undefined, signal && { signal }).catch(() => undefined);
}
