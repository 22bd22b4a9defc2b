// The process that reads files whose parsers can be led astray. It is told a path and sends the pieces; whoever started it ends it when it
// takes too long. Knows nothing of tasks.
import { Worker } from "node:worker_threads";
import { basename } from "node:path";
import type { ReadAs } from "./formats.ts";
import { type Limits, Unreadable } from "./limits.ts";
import { type Piece, piecesOf } from "./pieces.ts";
import { readWhole } from "./whole-file.ts";

export interface ReaderRequest {
  readonly path: string;
  readonly from: number;
  readonly limits: Limits;
  readonly as?: ReadAs | undefined;
}

export type ReaderMessage = Piece | { readonly kind: "end" };

/** Milliseconds between two looks at the memory. */
const WATCH = 50;

let watched = false;

/** A parser that runs does not let anybody else look: a thread of its own does, and ends the process. */
function watchMemory(limit: number): void {
  if (watched) return;
  watched = true;
  const code = `setInterval(() => { if (process.memoryUsage.rss() > ${limit}) process.kill(process.pid, "SIGKILL"); }, ${WATCH});`;
  new Worker(code, { eval: true, execArgv: [] }).unref();
}

async function answer({ path, from, limits, as }: ReaderRequest): Promise<void> {
  watchMemory(limits.memoryBytes);
  const file = { name: basename(path), bytes: await readWhole(path, limits) };
  for await (const piece of piecesOf({ file, limits, from, as })) await send(piece);
  await send({ kind: "end" });
}

/** One piece is on its way before the next is made. */
function send(message: ReaderMessage): Promise<void> {
  return new Promise((resolve, reject) => process.send?.(message, (error: Error | null) => (error === null ? resolve() : reject(error))));
}

process.on("message", (request: ReaderRequest) => {
  answer(request).catch(async (error: unknown) => {
    await send({ kind: "skipped", inner: "", reason: error instanceof Unreadable ? error.message : `can't be read (${String(error)}).` });
    await send({ kind: "end" });
  });
});
// The one that asks is gone.
process.on("disconnect", () => process.exit());
