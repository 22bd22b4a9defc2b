// Single files out of a zip archive (PKWARE APPNOTE 6.3): stored or deflated, up to 4 GB. Knows nothing of what they hold.
import { createWriteStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";

export interface Zip extends AsyncDisposable {
  readonly entries: readonly string[];
  extract(entry: string, path: string, signal?: AbortSignal): Promise<void>;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly compressed: number;
  readonly headerAt: number;
}

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const headerSignature = 0x04034b50;
/** The archive's comment, at most, and the record before it. */
const longestEnd = 65_535 + 22;

/** Throws when the file is no zip archive, or one that this reader does not know (zip64, other compressions). */
export async function openZip(path: string): Promise<Zip> {
  const file = await open(path, "r");
  try {
    const entries = await readEntries(file);
    return {
      entries: entries.map(({ name }) => name),
      extract: async (name, target, signal) => {
        const entry = entries.find((one) => one.name === name);
        if (entry === undefined) throw new Error(`${path} holds no ${name}`);
        await extractEntry({ file, entry, target, signal });
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw new Error(`${path} is no zip archive that can be read`, { cause: error });
  }
}

async function readEntries(file: FileHandle): Promise<Entry[]> {
  const { size } = await file.stat();
  const tail = await bytesAt(file, Math.max(0, size - longestEnd), Math.min(size, longestEnd));
  let end = tail.length - 22;
  while (end >= 0 && tail.readUInt32LE(end) !== endSignature) end--;
  if (end < 0) throw new Error("no end of a central directory");
  const count = tail.readUInt16LE(end + 10);
  const start = tail.readUInt32LE(end + 16);
  if (count === 0xffff || start === 0xffffffff) throw new Error("zip64 is not read");
  const directory = await bytesAt(file, start, tail.readUInt32LE(end + 12));
  const entries: Entry[] = [];
  for (let at = 0; entries.length < count;) {
    if (directory.readUInt32LE(at) !== entrySignature) throw new Error("a broken central directory");
    const nameLength = directory.readUInt16LE(at + 28);
    entries.push({
      name: directory.toString("utf8", at + 46, at + 46 + nameLength),
      method: directory.readUInt16LE(at + 10),
      compressed: directory.readUInt32LE(at + 20),
      headerAt: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

interface Extract {
  readonly file: FileHandle;
  readonly entry: Entry;
  readonly target: string;
  readonly signal: AbortSignal | undefined;
}

async function extractEntry({ file, entry, target, signal }: Extract): Promise<void> {
  if (entry.method !== 0 && entry.method !== 8) throw new Error(`${entry.name} is compressed in a way that is not read (${entry.method})`);
  const header = await bytesAt(file, entry.headerAt, 30);
  if (header.readUInt32LE(0) !== headerSignature) throw new Error(`no header of ${entry.name} where the directory says`);
  // The lengths here may differ from the directory's.
  const start = entry.headerAt + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const input = pieces(file, start, entry.compressed);
  const output = createWriteStream(target);
  const options = signal === undefined ? {} : { signal };
  await (entry.method === 0 ? pipeline(input, output, options) : pipeline(input, createInflateRaw(), output, options));
}

async function* pieces(file: FileHandle, start: number, length: number): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; at < length; at += 1 << 20) yield await bytesAt(file, start + at, Math.min(1 << 20, length - at));
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(length), position });
  if (bytesRead < length) throw new Error("the archive is cut short");
  return buffer;
}
