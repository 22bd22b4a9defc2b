// A store in memory, for tests and one-off runs. Moves to a temp folder once somebody asks for a path.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../store.ts";
import { fileSystemStore } from "./file-system.ts";
import { below, checkKey, checkPrefix } from "./key.ts";
import { asLine, parseLines } from "./lines.ts";

/** An empty store. Disposing of it removes its temp folder, where `path` made one. */
export function memoryStore(): Store & AsyncDisposable {
  const memory: Memory = { pieces: new Map(), moved: undefined, folder: undefined };
  const dispose = async (): Promise<void> => {
    await memory.moved;
    if (memory.folder !== undefined) await rm(memory.folder, { recursive: true, force: true });
  };
  return { ...storeBelow(memory, ""), [Symbol.asyncDispose]: dispose };
}

interface Memory {
  /** The pieces of each text, joined when read: an append adds one, whatever stands before it. */
  readonly pieces: Map<string, string[]>;
  /** The store in the temp folder that everything has moved to. */
  moved: Promise<Store> | undefined;
  folder: string | undefined;
}

function storeBelow(memory: Memory, prefix: string): Store {
  const text = (key: string): string | undefined => memory.pieces.get(full(key))?.join("");
  const full = (key: string): string => below(prefix, checkKey(key));
  /** On disk where the store has moved, in memory else. */
  const either = async <T>(onDisk: (store: Store) => Promise<T>, inMemory: () => T): Promise<T> =>
    memory.moved === undefined ? inMemory() : onDisk(await memory.moved);
  return {
    readText: async (key) => either((disk) => disk.readText(full(key)), () => text(key)),
    writeText: async (key, content) => either((disk) => disk.writeText(full(key), content), () => void memory.pieces.set(full(key), [content])),
    append: async (key, value) => either((disk) => disk.append(full(key), value), () => appendWhole(memory, full(key), asLine(value))),
    readLines: async (key) => either((disk) => disk.readLines(full(key)), () => parseLines(text(key) ?? "", key)),
    list: async (under) => {
      const folder = below(prefix, checkPrefix(under)).replace(/\/$/, "");
      const keys = await either((disk) => disk.list(folder), () => keysBelow(memory, folder).sort());
      return keys.map((key) => (prefix === "" ? key : key.slice(prefix.length + 1)));
    },
    remove: async (key) =>
      either((disk) => disk.remove(full(key)), () => {
        for (const one of [full(key), ...keysBelow(memory, full(key))]) memory.pieces.delete(one);
      }),
    path: async (key) => {
      full(key);
      memory.moved ??= moveToDisk(memory);
      return (await memory.moved).path(full(key));
    },
    scope: (under) => storeBelow(memory, below(prefix, checkKey(under))),
  };
}

/** Drops a last line without its end, as a store on disk does. */
function appendWhole(memory: Memory, key: string, line: string): void {
  const pieces = memory.pieces.get(key) ?? [];
  const last = pieces.pop() ?? "";
  pieces.push(last.slice(0, last.lastIndexOf("\n") + 1), line);
  memory.pieces.set(key, pieces);
}

function keysBelow(memory: Memory, folder: string): string[] {
  return [...memory.pieces.keys()].filter((key) => folder === "" || key.startsWith(`${folder}/`));
}

async function moveToDisk(memory: Memory): Promise<Store> {
  memory.folder = await mkdtemp(join(tmpdir(), "sartor-"));
  const disk = fileSystemStore(memory.folder);
  for (const [key, pieces] of memory.pieces) await disk.writeText(key, pieces.join(""));
  memory.pieces.clear();
  return disk;
}
