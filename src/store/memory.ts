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

type Texts = Omit<Store, "path" | "scope">;

function storeBelow(memory: Memory, prefix: string): Store {
  const full = (key: string): string => below(prefix, checkKey(key));
  const texts = async (): Promise<Texts> => memory.moved ?? textsIn(memory.pieces);
  return {
    readText: async (key) => (await texts()).readText(full(key)),
    writeText: async (key, text) => (await texts()).writeText(full(key), text),
    append: async (key, value) => (await texts()).append(full(key), value),
    readLines: async (key) => (await texts()).readLines(full(key)),
    list: async (under) => {
      const folder = checkPrefix(under);
      const keys = await (await texts()).list(folder === "" ? prefix : below(prefix, folder));
      return keys.map((key) => (prefix === "" ? key : key.slice(prefix.length + 1)));
    },
    remove: async (key) => (await texts()).remove(full(key)),
    path: async (key) => {
      full(key);
      memory.moved ??= moveToDisk(memory);
      return (await memory.moved).path(full(key));
    },
    scope: (under) => storeBelow(memory, below(prefix, checkKey(under))),
  };
}

function textsIn(pieces: Map<string, string[]>): Texts {
  const keysBelow = (folder: string): string[] => [...pieces.keys()].filter((key) => folder === "" || key.startsWith(`${folder}/`));
  return {
    readText: async (key) => pieces.get(key)?.join(""),
    writeText: async (key, text) => void pieces.set(key, [text]),
    append: async (key, value) => {
      const before = pieces.get(key) ?? [];
      // A last line without its end is dropped, as a store on disk does.
      const last = before.pop() ?? "";
      pieces.set(key, before);
      before.push(last.slice(0, last.lastIndexOf("\n") + 1), asLine(value));
    },
    readLines: async (key) => parseLines(pieces.get(key)?.join("") ?? "", key),
    list: async (folder) => keysBelow(folder).sort(),
    remove: async (key) => {
      for (const one of [key, ...keysBelow(key)]) pieces.delete(one);
    },
  };
}

async function moveToDisk(memory: Memory): Promise<Store> {
  memory.folder = await mkdtemp(join(tmpdir(), "sartor-"));
  const disk = fileSystemStore(memory.folder);
  for (const [key, pieces] of memory.pieces) await disk.writeText(key, pieces.join(""));
  memory.pieces.clear();
  return disk;
}
