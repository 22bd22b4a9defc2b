// Reads files, those whose parsers can be led astray in a process of their own: what breaks the limits of time and memory costs one line,
// and the rest is read.
import { type ChildProcess, fork } from "node:child_process";
import { on, once } from "node:events";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { messageOf } from "../errors.ts";
import { apartFrom, type ReadAs } from "./formats.ts";
import { type Limits, size, Unreadable } from "./limits.ts";
import { type Piece, piecesOf } from "./pieces.ts";
import type { ReaderMessage, ReaderRequest } from "./reader-process.ts";
import { readWhole } from "./whole-file.ts";

/** A file that ends the process so often is given up. */
const MOST_RESTARTS = 3;

export interface FileReader extends AsyncDisposable {
  /** The pieces of a file, but for those that only tell where the reading is. */
  read(path: string, as?: ReadAs): AsyncIterable<Piece>;
}

/** Starts nothing until a file needs it. */
export function createFileReader(limits: Limits): FileReader {
  let child: ChildProcess | undefined;
  const stop = (): void => {
    child?.kill("SIGKILL");
    child = undefined;
  };
  const alive = async (): Promise<ChildProcess> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null || !child.connected) child = await start(limits);
    return child;
  };
  return {
    read: async function* (path, as) {
      const { size: bytes } = await stat(path);
      if (bytes < apartFrom(path, as)) yield* here({ path, as, limits });
      else yield* apart({ path, as, limits, alive, stop });
    },
    [Symbol.asyncDispose]: async () => stop(),
  };
}

async function* here({ path, as, limits }: Pick<Apart, "path" | "as" | "limits">): AsyncIterable<Piece> {
  try {
    yield* piecesOf({ file: { name: basename(path), bytes: await readWhole(path, limits) }, limits, as });
  } catch (error) {
    yield { kind: "skipped", inner: "", reason: error instanceof Unreadable ? error.message : `can't be read (${messageOf(error)}).` };
  }
}

interface Apart {
  readonly path: string;
  readonly as: ReadAs | undefined;
  readonly limits: Limits;
  readonly alive: () => Promise<ChildProcess>;
  readonly stop: () => void;
}

async function* apart({ path, as, limits, alive, stop }: Apart): AsyncIterable<Piece> {
  let begun = 0;
  let inner = "";
  for (let restarts = 0; restarts < MOST_RESTARTS; restarts++) {
    const child = await alive();
    // Silence for so long ends the conversation, not the whole time of a file: an archive may hold thousands.
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), limits.seconds * 1000);
    try {
      for await (const message of talk(child, { path, from: begun, limits, as }, silence.signal)) {
        timer.refresh();
        if (message.kind === "end") return;
        if (message.kind === "ready") continue;
        if (message.kind === "begin") [begun, inner] = [begun + 1, message.inner];
        else yield message;
      }
    } catch (error) {
      if (!silence.signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
    }
    stop();
    const limit = silence.signal.aborted ? `${limits.seconds} seconds` : `${size(limits.memoryBytes)} of memory`;
    yield { kind: "skipped", inner, reason: `takes more than ${limit} to read. Split it, or leave it out.` };
    if (inner === "") return;
  }
  yield { kind: "skipped", inner: "", reason: `was given up after ${MOST_RESTARTS} of its files. Unpack it and name its folders.` };
}

/** What a process answers, until it ends. Throws when the signal says so. */
async function* talk(child: ChildProcess, request: ReaderRequest, signal: AbortSignal): AsyncIterable<ReaderMessage> {
  const messages = on(child, "message", { close: ["exit"], signal }) as AsyncIterable<[ReaderMessage]>;
  // A process that is gone says so by its exit.
  child.send(request, () => undefined);
  for await (const [message] of messages) yield message;
}

/** A part of the memory is for what is no object: bytes, and parsers that are not JavaScript. */
const HEAP_SHARE = 0.7;

/** Compiled code starts the compiled process; TypeScript source (tests, examples) needs tsx to read it. Resolves when it listens. */
async function start(limits: Limits): Promise<ChildProcess> {
  const source = import.meta.url.endsWith(".ts");
  const heap = `--max-old-space-size=${Math.floor((HEAP_SHARE * limits.memoryBytes) / 2 ** 20)}`;
  const child = fork(new URL(source ? "./reader-process.ts" : "./reader-process.js", import.meta.url), [], {
    execArgv: [heap, ...(source ? ["--import", import.meta.resolve("tsx")] : [])],
    serialization: "advanced",
    // Parsers print warnings.
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`The process that reads documents does not start (code ${String(code)}).`);
  });
  await Promise.race([once(child, "message"), ended]);
  ended.catch(() => undefined);
  // Whoever talks to it hears that it ended.
  child.on("error", () => undefined);
  return child;
}
