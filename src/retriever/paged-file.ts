// Files read by position in little memory: pages read last are held, up to a limit for all files together. Knows nothing of what they hold.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

const PAGE_BYTES = 1 << 14;

interface Page {
  readonly bytes: Uint8Array;
  /** Asked for since the hand last passed. */
  used: boolean;
  /** Forgets it where it is held. */
  readonly drop: () => void;
}

/** How many pages of several files are held: when there is no room, one goes that was not asked for lately (the clock: Corbató 1968). */
export class PageCache {
  readonly #pages: Page[] = [];
  readonly #most: number;
  #hand = 0;

  constructor({ bytes = 1 << 26 }: { readonly bytes?: number } = {}) {
    this.#most = Math.max(1, Math.floor(bytes / PAGE_BYTES));
  }

  hold(page: Page): void {
    if (this.#pages.length < this.#most) {
      this.#pages.push(page);
      return;
    }
    while (this.#pages[this.#hand]!.used) {
      this.#pages[this.#hand]!.used = false;
      this.#hand = (this.#hand + 1) % this.#most;
    }
    this.#pages[this.#hand]!.drop();
    this.#pages[this.#hand] = page;
    this.#hand = (this.#hand + 1) % this.#most;
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
  readonly #pages: (Page | undefined)[];

  constructor(path: string, cache: PageCache) {
    this.#descriptor = openSync(path, "r");
    this.bytes = fstatSync(this.#descriptor).size;
    this.#cache = cache;
    this.#pages = Array.from({ length: Math.ceil(this.bytes / PAGE_BYTES) });
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

  #page(number: number): Uint8Array {
    const held = this.#pages[number];
    if (held !== undefined) {
      held.used = true;
      return held.bytes;
    }
    const from = number * PAGE_BYTES;
    const bytes = new Uint8Array(Math.min(PAGE_BYTES, this.bytes - from));
    this.readInto(bytes, from);
    const page: Page = { bytes, used: true, drop: () => (this.#pages[number] = undefined) };
    this.#pages[number] = page;
    this.#cache.hold(page);
    return bytes;
  }
}
