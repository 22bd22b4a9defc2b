// What was read of a file, kept by its content: the same file is parsed once. Knows no format.
import { extname } from "node:path";
import type { Store } from "../store.ts";
import { contentKey, sha256File } from "../util/hash.ts";
import type { FileReader } from "./file-reader.ts";
import { apartFrom, type ReadAs } from "./formats.ts";
import type { Limits } from "./limits.ts";
import type { Piece } from "./pieces.ts";

/** Raised when the same file would give another text than before. */
export const READER_VERSION = 2;

export interface CachedReaderOptions {
  readonly reader: Pick<FileReader, "read">;
  readonly cache: Store;
  readonly limits: Limits;
}

/** Formats that are text are quicker read than looked up. A file of which anything was skipped is read again: time and memory may have been short. */
export function cachedReader({ reader, cache, limits }: CachedReaderOptions): Pick<FileReader, "read"> {
  return {
    read: async function* (path, as) {
      if (apartFrom(path, as) === Number.POSITIVE_INFINITY) return yield* reader.read(path, as);
      const key = `${await keyOf(path, as, limits)}.json`;
      const kept = parsed(await cache.readText(key));
      if (kept !== undefined) return yield* kept;
      const pieces: Piece[] = [];
      for await (const piece of reader.read(path, as)) {
        pieces.push(piece);
        yield piece;
      }
      if (!pieces.some(({ kind }) => kind === "skipped")) await cache.writeText(key, JSON.stringify(pieces));
    },
  };
}

async function keyOf(path: string, as: ReadAs | undefined, limits: Limits): Promise<string> {
  return contentKey({ version: READER_VERSION, sha256: await sha256File(path), extension: extname(path).toLowerCase(), as, limits });
}

function parsed(text: string | undefined): Piece[] | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Piece[]);
  } catch {
    // Written by hand, or cut short: reading anew is always right.
    return undefined;
  }
}
