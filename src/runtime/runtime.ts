// ONNX Runtime for the rest of the project: sessions in one worker thread, so that a run never holds up the event loop.
// Knows nothing of models or training.

import { availableParallelism } from "node:os";
import { call } from "./thread.ts";
import type { Provider, SessionInfo, Views } from "./protocol.ts";
import type { Tensors } from "./tensor.ts";

export interface StartRuntimeOptions {
  /** Threads of one operation. More than there are cores is several times slower. */
  readonly threads?: number;
  /** Default "cpu", the only one that every package of onnxruntime-node brings. */
  readonly provider?: Provider;
  /** Where `sartor setup local` put onnxruntime-node, tried when it does not lie beside this package. */
  readonly packagesFolder?: string | undefined;
}

export interface LoadOptions {
  /** An ONNX file (its external data beside it), or the bytes of one. */
  readonly source: { readonly path: string } | { readonly bytes: Uint8Array };
  /** Copy constant weights into the layout that products read fastest: 5-8 % quicker, and the weights are held once more. */
  readonly prepack?: boolean;
  /** Compute what depends on constants alone once, now: quicker runs, and the results are held. */
  readonly fold?: boolean;
  /** Inputs and outputs that live in buffers of the runtime, at every run. */
  readonly inputs?: Views;
  readonly outputs?: Views;
}

/** A model loaded into the runtime. */
export interface Session extends AsyncDisposable {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** All outputs but those bound to buffers. Runs of all sessions happen one after the other, in the order they were asked for. */
  run(feeds: Tensors, bound?: { readonly inputs?: Views; readonly outputs?: Views }): Promise<Tensors>;
  release(): Promise<void>;
}

/** The runtime: sessions, and named buffers of float32 numbers that stay with them between runs. */
export interface Runtime extends AsyncDisposable {
  readonly threads: number;
  load(options: LoadOptions): Promise<Session>;
  /** A buffer of `length` zeros under a name of this runtime's own. */
  allocate(buffer: string, length: number): Promise<void>;
  write(buffer: string, data: Float32Array, offset?: number): Promise<void>;
  /** A copy of `length` numbers from `offset`. */
  read(buffer: string, offset: number, length: number): Promise<Float32Array>;
  free(buffer: string): Promise<void>;
  /**
   * What an exported function makes of the argument in the runtime's thread, for work that would hold up the event loop. It is found
   * there by its name in its module, whose URL is given.
   */
  compute<Q, A>(module: string, exported: (argument: Q) => A, argument: Q): Promise<A>;
}

/** Numbers in one message. */
const PIECE = 2 ** 22;

let started = 0;

/**
 * A handle on the process's one runtime thread. Disposing releases this handle's sessions and buffers.
 * @throws {UserError} at the first `load` if onnxruntime-node is not installed, or lacks the provider here.
 */
export function startRuntime({ threads = availableParallelism(), provider = "cpu", packagesFolder }: StartRuntimeOptions = {}): Runtime {
  const scope = `${started++}/`;
  const sessions = new Set<Session>();
  const buffers = new Set<string>();
  const scoped = (views: Views): Views =>
    Object.fromEntries(Object.entries(views).map(([name, view]) => [name, { ...view, buffer: scope + view.buffer }]));

  const runtime: Runtime = {
    threads,
    async load({ source, prepack = true, fold = false, inputs = {}, outputs = {} }) {
      const options = { provider, threads, prepack, fold, packagesFolder, inputs: scoped(inputs), outputs: scoped(outputs) };
      const info = await call("load", { source: "path" in source ? source.path : source.bytes, options });
      const session: Session = makeSession(info, scoped, () => sessions.delete(session));
      sessions.add(session);
      return session;
    },
    async allocate(buffer, length) {
      await call("allocate", { buffer: scope + buffer, length });
      buffers.add(buffer);
    },
    async write(buffer, data, offset = 0) {
      // A message copies the whole of what a view looks into, and holds up the sender as long.
      for (let at = 0; at < data.length; at += PIECE)
        await call("write", { buffer: scope + buffer, offset: offset + at, data: data.slice(at, at + PIECE) });
    },
    read: (buffer, offset, length) => call("read", { buffer: scope + buffer, offset, length }),
    async free(buffer) {
      await call("free", { buffer: scope + buffer });
      buffers.delete(buffer);
    },
    compute: async <Q, A>(module: string, { name }: (argument: Q) => A, argument: Q) =>
      (await call("compute", { module, name, argument })) as A,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) await session.release();
      for (const buffer of buffers) await runtime.free(buffer);
    },
  };
  return runtime;
}

function makeSession({ session, inputNames, outputNames }: SessionInfo, scoped: (views: Views) => Views, forget: () => boolean): Session {
  const release = async () => {
    if (forget()) await call("release", { session });
  };
  return {
    inputNames,
    outputNames,
    run: (feeds, { inputs = {}, outputs = {} } = {}) => call("run", { session, feeds, inputs: scoped(inputs), outputs: scoped(outputs) }),
    release,
    [Symbol.asyncDispose]: release,
  };
}
