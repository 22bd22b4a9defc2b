// Reads files, those whose parsers can be led astray in a process of their own: what breaks the limits of time and memory costs one line,
// and the rest is read.
import { type ChildProcess, fork } from "node:child_process";
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
  const alive = (): ChildProcess => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null || !child.connected) child = start(limits);
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
  readonly alive: () => ChildProcess;
  readonly stop: () => void;
}

async function* apart({ path, as, limits, alive, stop }: Apart): AsyncIterable<Piece> {
  let begun = 0;
  let inner = "";
  for (let restarts = 0; restarts < MOST_RESTARTS; restarts++) {
    const conversation = talk(alive(), { path, from: begun, limits, as });
    for await (const message of conversation.messages) {
      if (message.kind === "end") return;
      if (message.kind === "begin") [begun, inner] = [begun + 1, message.inner];
      else yield message;
    }
    stop();
    const reason =
      conversation.ended() === "late"
        ? `takes more than ${limits.seconds} seconds to read. Split it, or leave it out.`
        : `takes more than ${size(limits.memoryBytes)} of memory to read. Split it, or leave it out.`;
    yield { kind: "skipped", inner, reason };
    if (inner === "") return;
  }
  yield { kind: "skipped", inner: "", reason: `was given up after ${MOST_RESTARTS} of its files. Unpack it and name its folders.` };
}

interface Conversation {
  readonly messages: AsyncIterable<ReaderMessage>;
  /** Why the messages stopped before the end. */
  readonly ended: () => "late" | "gone";
}

/** What a process answers, until it says so, ends, or is silent for too long. */
function talk(child: ChildProcess, request: ReaderRequest): Conversation {
  let ended: "late" | "gone" = "gone";
  const queue: (ReaderMessage | undefined)[] = [];
  let wake = (): void => undefined;
  const push = (message: ReaderMessage | undefined): void => {
    queue.push(message);
    wake();
  };
  const onMessage = (message: unknown): void => push(message as ReaderMessage);
  const onExit = (): void => push(undefined);
  async function* messages(): AsyncIterable<ReaderMessage> {
    child.on("message", onMessage).on("exit", onExit).on("error", onExit);
    child.send(request, (error) => error !== null && onExit());
    try {
      for (;;) {
        while (queue.length === 0) {
          const timer = setTimeout(() => {
            ended = "late";
            push(undefined);
          }, limitOf(request));
          await new Promise<void>((resolve) => (wake = resolve));
          clearTimeout(timer);
        }
        const message = queue.shift();
        if (message === undefined) return;
        yield message;
        if (message.kind === "end") return;
      }
    } finally {
      child.off("message", onMessage).off("exit", onExit).off("error", onExit);
    }
  }
  return { messages: messages(), ended: () => ended };
}

const limitOf = ({ limits }: ReaderRequest): number => limits.seconds * 1000;

/** A part of the memory is for what is no object: bytes, and parsers that are not JavaScript. */
const HEAP_SHARE = 0.7;

/** Compiled code starts the compiled process; TypeScript source (tests, examples) needs tsx to read it. */
function start(limits: Limits): ChildProcess {
  const source = import.meta.url.endsWith(".ts");
  const heap = `--max-old-space-size=${Math.floor((HEAP_SHARE * limits.memoryBytes) / 2 ** 20)}`;
  const child = fork(new URL(source ? "./reader-process.ts" : "./reader-process.js", import.meta.url), [], {
    execArgv: [heap, ...(source ? ["--import", import.meta.resolve("tsx")] : [])],
    serialization: "advanced",
    // Parsers print warnings.
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  // Whoever talks to it hears that it ended.
  child.on("error", () => undefined);
  return child;
}
