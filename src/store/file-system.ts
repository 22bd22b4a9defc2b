// A store that is a folder on disk. Knows nothing of what it keeps.
import { mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Store } from "../store.ts";
import { writeFileAtomic } from "../util/atomic.ts";
import { below, checkKey, checkPrefix, isSegment } from "./key.ts";
import { asLine, parseLines } from "./lines.ts";

/** The store below `folder`, which is made when first written to. One process at a time may append to the same key. */
export function fileSystemStore(folder: string): Store {
  return storeBelow({ root: resolve(folder), appends: new Map() }, "");
}

interface Shared {
  readonly root: string;
  /** The append under way for a file: the next one waits for it. */
  readonly appends: Map<string, Promise<void>>;
}

function storeBelow(shared: Shared, prefix: string): Store {
  const file = (key: string): string => join(shared.root, below(prefix, checkKey(key)));
  return {
    readText: async (key) => readIfThere(file(key)),
    writeText: async (key, text) => writeFileAtomic(file(key), text),
    append: async (key, value) => appendInTurn(shared, file(key), asLine(value)),
    readLines: async (key) => parseLines((await readIfThere(file(key))) ?? "", file(key)),
    list: async (under) => listFiles(join(shared.root, prefix), checkPrefix(under)),
    remove: async (key) => rm(file(key), { recursive: true, force: true }),
    path: async (key) => {
      const path = file(key);
      await mkdir(dirname(path), { recursive: true });
      return path;
    },
    scope: (under) => storeBelow(shared, below(prefix, checkKey(under))),
  };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function appendInTurn(shared: Shared, path: string, line: string): Promise<void> {
  const before = shared.appends.get(path) ?? Promise.resolve();
  const appended = before.then(() => appendWhole(path, line));
  const settled = appended.catch(() => undefined);
  shared.appends.set(path, settled);
  try {
    await appended;
  } finally {
    if (shared.appends.get(path) === settled) shared.appends.delete(path);
  }
}

/** Cuts off a last line that a crash left without its end, so that the new one does not grow onto it. */
async function appendWhole(path: string, line: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "a+");
  try {
    const { size } = await file.stat();
    const whole = await endOfLastLine(file, size);
    if (whole < size) await file.truncate(whole);
    await file.appendFile(line);
  } finally {
    await file.close();
  }
}

async function endOfLastLine(file: FileHandle, size: number): Promise<number> {
  const piece = Buffer.alloc(1 << 16);
  // Nearly always the last byte is the newline: look at it alone before reading more.
  for (let end = size, length = 1; end > 0; end -= length, length = Math.min(piece.length, end)) {
    await file.read(piece, 0, length, end - length);
    const newline = piece.subarray(0, length).lastIndexOf(10);
    if (newline >= 0) return end - length + newline + 1;
  }
  return 0;
}

async function listFiles(root: string, under: string): Promise<string[]> {
  const keys: string[] = [];
  const visit = async (key: string): Promise<void> => {
    const entries = await readdir(join(root, key), { withFileTypes: true });
    for (const entry of entries.filter(({ name }) => isSegment(name))) {
      if (entry.isDirectory()) await visit(below(key, entry.name));
      else keys.push(below(key, entry.name));
    }
  };
  try {
    await visit(under);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  return keys.sort();
}

/** ENOTDIR: a file stands where the key needs a folder, so nothing is there under that key. */
function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
