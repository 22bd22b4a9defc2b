// Peak memory of inference, in a process of its own that does nothing but answer: the number a user needs before deploying.
import { fork } from "node:child_process";
import type { Environment } from "../answer/open.ts";
import { type Candidate, usesOnlyLocalModels } from "../candidate.ts";
import type { Document } from "../task.ts";

/** What the process is sent. */
export interface ProbeRequest {
  readonly candidate: Candidate;
  readonly inputs: readonly string[];
  readonly documents: readonly Document[];
  readonly storeFolder: string;
  readonly environment: Omit<Environment, "secret">;
}

export type ProbeReply = { readonly peakMemoryBytes: number } | { readonly failed: string };

/** Bytes of resident memory at the most, Node included; undefined for candidates behind an API, whose memory is not here. */
export async function measureMemory({ signal, ...request }: ProbeRequest & { readonly signal?: AbortSignal }): Promise<number | undefined> {
  if (!usesOnlyLocalModels(request.candidate)) return undefined;
  const typescript = import.meta.url.endsWith(".ts");
  const child = fork(new URL(typescript ? "./memory-probe.ts" : "./memory-probe.js", import.meta.url), [], {
    execArgv: typescript ? ["--import", "tsx"] : [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    ...(signal && { signal }),
  });
  const reply = await new Promise<ProbeReply>((resolve, reject) => {
    child.once("message", (message) => resolve(message as ProbeReply));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`The process that measures memory ended with exit code ${code}.`)));
    child.send(request);
  });
  child.kill();
  if ("failed" in reply) throw new Error(reply.failed);
  return reply.peakMemoryBytes;
}
