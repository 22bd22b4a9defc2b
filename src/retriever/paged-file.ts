// Files read by position in little memory: pages read last are held, up to a limit for all files together. Knows nothing of what they hold.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

const PAGE_BYTES = 1 << 14;
/** Pages of one file have numbers below this: files up to 64 TB. */
const PAGES = 2 ** 32;

/** The pages held of several files; the one that was not asked for longest goes first. */
export class PageCache {
  readonly #pages = new Map<number, Uint8Array>();
  readonly #most: number;
  #files = 0;

  constructor({ bytes = 1 << 26 }: { readonly bytes?: number } = {}) {
    this.#most = Math.max(1, Math.floor(bytes / PAGE_BYTES));
  }

  /** A number for a file that no other file of this cache has. */
  file(): number {
    return this.#files++;
  }

  page(file: number, page: number, read: () => Uint8Array): Uint8Array {
    const key = file * PAGES + page;
    const known = this.#pages.get(key);
    if (known !== undefined) this.#pages.delete(key);
    const bytes = known ?? read();
    this.#pages.set(key, bytes);
    if (this.#pages.size > this.#most) {
      for (const oldest of this.#pages.keys()) {
        this.#pages.delete(oldest);
        break;
      }
    }
    return bytes;
  }
}

/** Opens several files, or none. */
export function openPagedFiles<N extends string>(
  folder: string,
  names: { readonly [K in N]: string },
  cache: PageCache,
): { readonly [K in N]: PagedFile } {
  const opened: Partial<Record<N, PagedFile>> = {};
  try {
    for (const [key, name] of Object.entries(names) as [N, string][]) opened[key] = new PagedFile(join(folder, name), cache);
    return opened as Record<N, PagedFile>;
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

export function closeAll(files: { readonly [name: string]: Disposable | undefined }): void {
  for (const file of Object.values(files)) file?.[Symbol.dispose]();
}

/**
 * Open from its making until it is disposed, so that it can be read when a writer has removed it. Reads are synchronous: most often the
 * operating system holds the page.
 */
export class PagedFile implements Disposable {
  readonly bytes: number;
  readonly #descriptor: number;
  readonly #cache: PageCache;
  readonly #file: number;
  #lastPage = -1;
  #last: Uint8Array = new Uint8Array(0);

  constructor(path: string, cache: PageCache) {
    this.#descriptor = openSync(path, "r");
    this.bytes = fstatSync(this.#descriptor).size;
    this.#cache = cache;
    this.#file = cache.file();
  }

  /** Not to be written to: mostly a part of a page that others see too. */
  read(position: number, length: number): Uint8Array {
    if (position + length > this.bytes) throw new Error(`An index file ends ${position + length - this.bytes} bytes early.`);
    const page = Math.floor(position / PAGE_BYTES);
    const at = position - page * PAGE_BYTES;
    if (at + length <= PAGE_BYTES) return this.#page(page).subarray(at, at + length);
    const bytes = new Uint8Array(length);
    if (length > 4 * PAGE_BYTES) {
      this.readInto(bytes, position);
      return bytes;
    }
    for (let filled = 0, from = at, next = page; filled < length; next++, from = 0) {
      const part = this.#page(next).subarray(from, from + length - filled);
      bytes.set(part, filled);
      filled += part.length;
    }
    return bytes;
  }

  /** Fills `bytes` from a place on, past the cache. One read may give less than was asked, and never gives more than 2 GB. */
  readInto(bytes: Uint8Array, position: number): void {
    for (let at = 0; at < bytes.length;) {
      const count = readSync(this.#descriptor, bytes, at, Math.min(bytes.length - at, 1 << 30), position + at);
      if (count === 0) throw new Error(`An index file ends ${bytes.length - at} bytes early.`);
      at += count;
    }
  }

  /** `position` is a multiple of 4. */
  integers(position: number, count: number): Int32Array {
    const { buffer, byteOffset } = this.read(position, 4 * count);
    return new Int32Array(buffer, byteOffset, count);
  }

  /** `position` is a multiple of 8. */
  floats(position: number, count: number): Float64Array {
    const { buffer, byteOffset } = this.read(position, 8 * count);
    return new Float64Array(buffer, byteOffset, count);
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #page(page: number): Uint8Array {
    if (page !== this.#lastPage) {
      this.#last = this.#cache.page(this.#file, page, () => this.#readPage(page));
      this.#lastPage = page;
    }
    return this.#last;
  }

  #readPage(page: number): Uint8Array {
    const from = page * PAGE_BYTES;
    const bytes = new Uint8Array(Math.min(PAGE_BYTES, this.bytes - from));
    this.readInto(bytes, from);
    return bytes;
  }
}
