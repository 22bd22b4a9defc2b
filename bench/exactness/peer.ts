// The Python peer of the exactness bench (bench/peer/exactness_peft.py): its commands as functions.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TokenSequence } from "../../src/model.ts";

export interface Peer extends AsyncDisposable {
  /** The loss of a batch; the gradient of every adapter tensor lies in the folder `to`, laid out as a PEFT adapter. */
  gradients(given: { adapter: string; sequences: readonly TokenSequence[]; to: string }): Promise<{ readonly loss: number }>;
  /** The loss before each AdamW step. */
  steps(given: StepsCommand): Promise<{ readonly losses: readonly number[] }>;
  /** Logits of each text as tensors "0", "1", ... of the safetensors file `to`. */
  logits(given: { adapter: string; texts: readonly (readonly number[])[]; to: string }): Promise<unknown>;
}

interface StepsCommand {
  readonly adapter: string;
  readonly updates: readonly (readonly TokenSequence[])[];
  readonly learningRates: readonly number[];
  readonly maxNorm: number;
}

export interface StartPeerOptions {
  readonly python: string;
  /** The model as transformers reads it. */
  readonly folder: string;
  readonly threads: number;
}

export function startPeer({ python, folder, threads }: StartPeerOptions): Peer {
  const script = fileURLToPath(new URL("../peer/exactness_peft.py", import.meta.url));
  const child = spawn(python, [script, folder, String(threads)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async <T>(command: string, given: object): Promise<T> => {
    child.stdin.write(`${JSON.stringify({ command, ...given })}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error("The peer ended early.");
    return JSON.parse(value) as T;
  };
  return {
    gradients: (given) => ask("gradients", given),
    steps: (given) => ask("steps", given),
    logits: (given) => ask("logits", given),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
    },
  };
}
