// The two sides of bench/train.ts, each a process of its own that takes steps when told: lines of JSON in, lines of JSON out.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { defaults } from "../src/train/defaults.ts";
import { smolLm2 } from "../src/train/fixtures/smollm2.ts";

export type Method = "lora" | "fast lora" | "full";

/** Texts by their lengths: which tokens they are changes no time. */
export interface Work {
  /** As the peer takes them: a list is a step, filled up to its longest. On this side they are ordered and cut as training does. */
  readonly batches: readonly (readonly { readonly length: number; readonly completion: number }[])[];
  readonly batchTokens: number;
}

export interface Command extends Work {
  readonly passes: number;
}

export interface Answer {
  /** Of each pass over the work. */
  readonly seconds: readonly number[];
  readonly peakMemoryBytes: number;
}

export interface Side extends AsyncDisposable {
  /** Seconds of each of `passes` passes over the work. */
  take(work: Work, passes: number): Promise<readonly number[]>;
  peakMemoryBytes(): number;
}

export function ownSide(method: Method, threads: number): Side {
  const script = fileURLToPath(new URL("train-own.ts", import.meta.url));
  return startSide(process.execPath, ["--import", "tsx", script, JSON.stringify({ method, threads })]);
}

export function peerSide(python: string, method: Method, threads: number): Side {
  const script = fileURLToPath(new URL("peer/train_peft.py", import.meta.url));
  const { rank, alpha } = defaults.lora;
  return startSide(python, [script, JSON.stringify({ ...smolLm2, rank, alpha, threads, full: method === "full" })]);
}

function startSide(program: string, given: readonly string[]): Side {
  const child = spawn(program, given, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let peak = 0;
  return {
    async take({ batches, batchTokens }, passes) {
      child.stdin.write(`${JSON.stringify({ batches, batchTokens, passes } satisfies Command)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${program} ended early.`);
      const { seconds, peakMemoryBytes } = JSON.parse(value) as Answer;
      peak = peakMemoryBytes;
      return seconds;
    },
    peakMemoryBytes: () => peak,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}
