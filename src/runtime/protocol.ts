// The messages between the main thread and the worker that holds the sessions.

import type { Tensors } from "./tensor.ts";

/** A window into a buffer of float32 numbers that stays in the worker: `offset` in numbers, then the product of `dims` of them. */
export interface View {
  readonly buffer: string;
  readonly offset: number;
  readonly dims: readonly number[];
}

export type Views = { readonly [name: string]: View };

/** What computes: ONNX Runtime's execution providers. Operations that one lacks are computed by the CPU. */
export const providers = ["cpu", "cuda", "webgpu", "coreml", "dml"] as const;
export type Provider = (typeof providers)[number];

export interface SessionOptions {
  readonly provider: Provider;
  /** Threads of one operation. */
  readonly threads: number;
  /** Whether constant weights are copied into the layout that products read fastest: quicker runs, more memory. */
  readonly prepack: boolean;
  /** Whether what depends on constants alone is computed once, when the session is made: quicker runs, more memory. */
  readonly fold: boolean;
  /** Where onnxruntime-node lies if not beside this package. */
  readonly packagesFolder: string | undefined;
  /** Inputs read from, and outputs written to, buffers of the worker at every run. */
  readonly inputs: Views;
  readonly outputs: Views;
}

export interface SessionInfo {
  readonly session: number;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

/** Every request with its answer. */
export interface Calls {
  load: { request: { source: string | Uint8Array; options: SessionOptions }; answer: SessionInfo };
  run: { request: { session: number; feeds: Tensors; inputs: Views; outputs: Views }; answer: Tensors };
  release: { request: { session: number }; answer: null };
  allocate: { request: { buffer: string; length: number }; answer: null };
  write: { request: { buffer: string; offset: number; data: Float32Array }; answer: null };
  read: { request: { buffer: string; offset: number; length: number }; answer: Float32Array };
  compute: { request: { module: string; name: string; argument: unknown }; answer: unknown };
  free: { request: { buffer: string }; answer: null };
}

export type CallName = keyof Calls;

export interface Request<C extends CallName = CallName> {
  readonly id: number;
  readonly call: C;
  readonly request: Calls[C]["request"];
}

export type Response =
  | { readonly id: number; readonly ok: true; readonly answer: Calls[CallName]["answer"] }
  | { readonly id: number; readonly ok: false; readonly message: string; readonly lacks?: "package" | "provider" };
