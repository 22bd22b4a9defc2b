// What stands at an address, read like a file; and for tasks, kept until the server has another version. Knows no index.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { Store } from "../store.ts";
import { sha256 } from "../util/hash.ts";
import { READER_VERSION } from "./cached-reader.ts";
import { isoDate } from "./date.ts";
import { download, type Validators } from "./download.ts";
import type { FileReader } from "./file-reader.ts";
import { type Limits, Unreadable } from "./limits.ts";
import type { Piece } from "./pieces.ts";
import { contentsOf, type FileContents } from "./read.ts";
import { addressOf, type Secret, type UrlSource } from "./url.ts";

export interface ReadUrlOptions {
  readonly source: UrlSource;
  /** Of the version that is known already. */
  readonly before?: Validators | undefined;
  readonly reader: Pick<FileReader, "read">;
  readonly limits: Limits;
  readonly secret?: Secret | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A version of what stands at an address. */
export interface PageVersion {
  readonly pieces: readonly Piece[];
  readonly validators: Validators;
  readonly bytes: number;
}

/** Throws Unreadable for what cannot be had; what is there and no document is told by the pieces. */
export async function readUrl({ source, before, reader, limits, secret, signal }: ReadUrlOptions): Promise<PageVersion | "unchanged"> {
  const address = addressOf(source, secret);
  const folder = await mkdtemp(join(tmpdir(), "sartor-page-"));
  try {
    const found = await download({ address, folder, before, limits, signal });
    if (found === "unchanged") return found;
    const { path, bytes, ...validators } = found;
    const pieces: Piece[] = [];
    for await (const piece of reader.read(path)) {
      signal?.throwIfAborted();
      pieces.push(piece);
    }
    return { pieces, validators, bytes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The documents of a version. */
export function contentsOfPage({ id, name }: UrlSource, { pieces, validators }: Pick<PageVersion, "pieces" | "validators">): FileContents {
  return contentsOf({ id, name, modified: isoDate(validators.lastModified) }, pieces);
}

interface KeptPage extends Pick<PageVersion, "pieces" | "validators"> {
  readonly version: number;
}

/**
 * As {@link readUrl}, but what was read last counts for as long as the server says so, and where it cannot be asked.
 * @throws {UserError} for what cannot be had and never was.
 */
export async function readKeptUrl({ cache, ...options }: ReadUrlOptions & { readonly cache: Store | undefined }): Promise<FileContents> {
  const { source } = options;
  const key = `url-${sha256(source.written)}.json`;
  const kept = parsed(await cache?.readText(key));
  try {
    const read = await readUrl({ ...options, before: kept?.validators });
    if (read === "unchanged") return contentsOfPage(source, kept!);
    const contents = contentsOfPage(source, read);
    if (contents.documents.length === 0) throw new Unreadable(contents.skipped[0]?.reason ?? "holds no document. Check the address.");
    const { pieces, validators } = read;
    await cache?.writeText(key, JSON.stringify({ version: READER_VERSION, pieces, validators } satisfies KeptPage));
    return contents;
  } catch (cause) {
    if (!(cause instanceof Unreadable)) throw cause;
    if (kept === undefined) throw new UserError(`documents: ${source.name} ${cause.message}`, { cause });
    const contents = contentsOfPage(source, kept);
    return {
      ...contents,
      notices: [...contents.notices, `documents: ${source.name} ${cause.message} What was read of it before is used.`],
    };
  }
}

function parsed(text: string | undefined): KeptPage | undefined {
  try {
    const kept = text === undefined ? undefined : (JSON.parse(text) as KeptPage);
    return kept?.version === READER_VERSION ? kept : undefined;
  } catch {
    // Cut short: reading anew is always right.
    return undefined;
  }
}
