// The one worker thread of this process: starts it when first asked, carries calls to it and answers back.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { UserError } from "../errors.ts";
import type { CallName, Calls, Response } from "./protocol.ts";

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

// One for the whole process and never ended: ONNX Runtime has crashed in processes that load it in several workers
// (https://github.com/microsoft/onnxruntime/issues/24486).
let thread: Worker | undefined;
let nextCall = 1;
const waiting = new Map<number, Waiting>();

/** Sends one call to the runtime's thread. @throws {UserError} if onnxruntime-node is not installed. */
export function call<C extends CallName>(name: C, request: Calls[C]["request"]): Promise<Calls[C]["answer"]> {
  thread ??= start();
  const worker = thread;
  return new Promise((resolve, reject) => {
    const id = nextCall++;
    waiting.set(id, { resolve, reject });
    worker.ref();
    worker.postMessage({ id, call: name, request });
  });
}

function start(): Worker {
  const worker = spawn();
  worker.unref();
  worker.on("message", (response: Response) => settle(worker, response));
  worker.on("error", (error) => fail(worker, error));
  worker.on("exit", (code) => fail(worker, new Error(`The runtime's thread ended (code ${code}).`)));
  return worker;
}

function settle(worker: Worker, response: Response): void {
  const found = waiting.get(response.id);
  if (found === undefined) return;
  waiting.delete(response.id);
  // Only a call under way keeps the process alive.
  if (waiting.size === 0) worker.unref();
  if (response.ok) found.resolve(response.answer as never);
  else found.reject(response.lacks === undefined ? new Error(response.message) : lacking[response.lacks](response.message));
}

function fail(worker: Worker, error: Error): void {
  if (thread !== worker) return;
  thread = undefined;
  for (const { reject } of waiting.values()) reject(error);
  waiting.clear();
}

/** What this machine lacks, as errors of one line. */
const lacking = {
  package: (message: string) =>
    new UserError("The local runtime is not installed (onnxruntime-node could not be loaded). To install it, run: sartor setup local", {
      cause: new Error(message),
    }),
  provider: (message: string) => new UserError(message),
} as const;

// Compiled code starts the compiled worker. From TypeScript source (tests, examples) the worker first registers tsx by its
// API: Node 20 does not run tsx's own `--import` hook in workers.
function spawn(): Worker {
  if (!import.meta.url.endsWith(".ts")) return new Worker(new URL("./worker.js", import.meta.url));
  const tsx = pathToFileURL(
    createRequire(import.meta.url)
      .resolve("tsx/esm/api")
      .replace(/cjs$/, "mjs"),
  ).href;
  const url = new URL("./worker.ts", import.meta.url).href;
  const code = `import(${JSON.stringify(tsx)}).then(({ register }) => { register(); return import(${JSON.stringify(url)}); })`;
  return new Worker(code, { eval: true });
}
