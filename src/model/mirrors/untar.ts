// Single files out of a .tgz (POSIX ustar, gzipped), in one pass. Knows nothing of what they hold.
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

export interface ExtractTarball {
  readonly path: string;
  /** Where a member of the archive is to go; undefined leaves it out. */
  readonly pick: (member: string) => string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const block = 512;

/** Writes the members that were picked and returns where they went. Throws when the archive is cut short or broken. */
export async function extractTarball({ path, pick, signal }: ExtractTarball): Promise<Set<string>> {
  const written = new Set<string>();
  await pipeline(
    createReadStream(path),
    createGunzip(),
    async (pieces: AsyncIterable<Buffer>) => {
      const reader = exactReader(pieces);
      for (let header = await reader.take(block); header !== undefined && header[0] !== 0; header = await reader.take(block)) {
        const member = readHeader(header, path);
        const target = member.file ? pick(member.name) : undefined;
        const output = target === undefined ? undefined : await open(target, "w");
        try {
          await copy(reader, member.size, output);
        } finally {
          await output?.close();
        }
        if (target !== undefined) written.add(target);
      }
    },
    signal === undefined ? {} : { signal },
  );
  return written;
}

function readHeader(header: Buffer, path: string): { name: string; size: number; file: boolean } {
  const text = (from: number, to: number): string => header.toString("utf8", from, to).replace(/\0.*$/s, "");
  const size = Number.parseInt(text(124, 136).trim() || "0", 8);
  if (!Number.isSafeInteger(size) || size < 0) throw new Error(`${path} is no tar archive that can be read`);
  const prefix = text(257, 262) === "ustar" ? text(345, 500) : "";
  const type = text(156, 157);
  return { name: prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`, size, file: type === "0" || type === "" };
}

type Reader = ReturnType<typeof exactReader>;

/** Copies a member's bytes, or passes over them, and over the padding after them. */
async function copy(reader: Reader, size: number, output: FileHandle | undefined): Promise<void> {
  for (let left = size; left > 0;) {
    const piece = await reader.some(left);
    await output?.writeFile(piece);
    left -= piece.length;
  }
  const padding = (block - (size % block)) % block;
  if (padding > 0) await reader.take(padding);
}

function exactReader(pieces: AsyncIterable<Buffer>) {
  const iterator = pieces[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const fill = async (): Promise<boolean> => {
    const { done, value } = await iterator.next();
    if (done === true) return false;
    held = held.length === 0 ? value : Buffer.concat([held, value]);
    return true;
  };
  const cut = (length: number): Buffer => {
    const piece = held.subarray(0, length);
    held = held.subarray(length);
    return piece;
  };
  return {
    /** Exactly `length` bytes; undefined at the end of the archive. */
    take: async (length: number): Promise<Buffer | undefined> => {
      while (held.length < length) {
        if (await fill()) continue;
        if (held.length === 0) return undefined;
        throw new Error("the archive is cut short");
      }
      return cut(length);
    },
    /** At least one byte and at most `length`. */
    some: async (length: number): Promise<Buffer> => {
      if (held.length === 0 && !(await fill())) throw new Error("the archive is cut short");
      return cut(Math.min(length, held.length));
    },
  };
}
