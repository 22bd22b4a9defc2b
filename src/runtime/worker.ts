// The worker: holds every ONNX Runtime session of the process and the buffers they share. Knows nothing of models or training.

import { parentPort } from "node:worker_threads";
import type * as OnnxRuntime from "onnxruntime-node";
import { messageOf } from "../errors.ts";
import { importPackage } from "../util/import-package.ts";
import type { CallName, Calls, Request, Response, SessionOptions, View, Views } from "./protocol.ts";
import type { Tensor } from "./tensor.ts";

type Ort = typeof OnnxRuntime;

interface Loaded {
  readonly session: OnnxRuntime.InferenceSession;
  readonly options: SessionOptions;
}

// Microseconds that a thread waits awake for the next operation. Long enough to bridge two operations; ONNX Runtime's own default
// takes a core from everybody else, and made steps slower by half wherever the machine did anything besides.
const SPIN = "50";

// Graphs come with equal nodes merged already. Those that are computed twice to save memory are to stay two.
const LEFT_OUT = "CommonSubexpressionElimination";

/** Something that this machine lacks. */
class Lacking extends Error {
  readonly what: "package" | "provider";
  constructor(what: "package" | "provider", message: string) {
    super(message);
    this.what = what;
  }
}

const port = parentPort;
if (port === null) throw new Error("runtime/worker is started by runtime/runtime only.");

const sessions = new Map<number, Loaded>();
const buffers = new Map<string, Float32Array>();
let nextSession = 1;
let loading: Promise<Ort> | undefined;

const handlers: { [C in CallName]: (request: Calls[C]["request"]) => Promise<Calls[C]["answer"]> } = {
  async load({ source, options }) {
    const session = await createSession(await ort(options.packagesFolder), source, options);
    const number = nextSession++;
    sessions.set(number, { session, options });
    return { session: number, inputNames: session.inputNames, outputNames: session.outputNames };
  },
  async run({ session: number, feeds, inputs, outputs }) {
    const { session, options } = loaded(number);
    const { Tensor } = await ort(options.packagesFolder);
    const view = ({ buffer, offset, dims }: View) => new Tensor("float32", window(buffer, offset, size(dims)), dims);
    const bound = mapValues({ ...options.outputs, ...outputs }, view);
    const free = session.outputNames.filter((name) => bound[name] === undefined);
    const fetches: Record<string, InstanceType<Ort["Tensor"]> | null> = { ...bound };
    for (const name of free) fetches[name] = null;
    const given = mapValues(feeds, ({ type, data, dims }) => new Tensor(type, data as Float32Array, dims));
    const result = await session.run({ ...mapValues({ ...options.inputs, ...inputs } satisfies Views, view), ...given }, fetches);
    return Object.fromEntries(free.map((name) => [name, plain(result[name])]));
  },
  async release({ session }) {
    await loaded(session).session.release();
    sessions.delete(session);
    return null;
  },
  async allocate({ buffer, length }) {
    if (buffers.has(buffer)) throw new Error(`Buffer "${buffer}" exists already.`);
    buffers.set(buffer, new Float32Array(length));
    return null;
  },
  async write({ buffer, offset, data }) {
    window(buffer, offset, data.length).set(data);
    return null;
  },
  async read({ buffer, offset, length }) {
    return window(buffer, offset, length).slice();
  },
  async compute({ module, name, argument }) {
    const exported = ((await import(module)) as { readonly [name: string]: unknown })[name];
    if (typeof exported !== "function") throw new Error(`${module} exports no function "${name}".`);
    return exported(argument);
  },
  async free({ buffer }) {
    if (!buffers.delete(buffer)) throw new Error(`No buffer "${buffer}".`);
    return null;
  },
};

// One call at a time, in the order of arrival: a run is synchronous anyway, and buffers are written by the run before.
let queue = Promise.resolve();
port.on("message", (request: Request) => {
  queue = queue.then(async () => {
    const response = await answer(request);
    const buffer = response.ok && response.answer instanceof Float32Array ? [response.answer.buffer as ArrayBuffer] : [];
    port.postMessage(response, buffer);
  });
});

async function answer({ id, call, request }: Request): Promise<Response> {
  try {
    const handler = handlers[call] as (request: Calls[CallName]["request"]) => Promise<Calls[CallName]["answer"]>;
    return { id, ok: true, answer: await handler(request) };
  } catch (error) {
    return { id, ok: false, message: messageOf(error), ...(error instanceof Lacking ? { lacks: error.what } : {}) };
  }
}

function ort(folder: string | undefined): Promise<Ort> {
  const beside = (): Promise<Ort> => import("onnxruntime-node");
  loading ??= importPackage({ name: "onnxruntime-node", beside, folder }).catch((error: unknown) => {
    loading = undefined;
    throw new Lacking("package", messageOf(error));
  });
  return loading;
}

async function createSession(
  { InferenceSession }: Ort,
  source: string | Uint8Array,
  { provider, threads, prepack, fold }: SessionOptions,
): Promise<OnnxRuntime.InferenceSession> {
  const settings: OnnxRuntime.InferenceSession.SessionOptions = {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: {
      "session.intra_op.spin_duration_us": SPIN,
      "session.disable_quant_qdq": "1",
      "optimization.disable_specified_optimizers": fold ? LEFT_OUT : `${LEFT_OUT};ConstantFolding`,
      ...(prepack ? {} : { "session.disable_prepacking": "1" }),
    },
  };
  try {
    return await (typeof source === "string" ? InferenceSession.create(source, settings) : InferenceSession.create(source, settings));
  } catch (error) {
    if (provider === "cpu") throw error;
    const reason = messageOf(error).replaceAll(/\s+/gu, " ").trim();
    throw new Lacking("provider", `The provider "${provider}" cannot be used here (${reason}). Use "cpu", or install what it needs.`);
  }
}

function loaded(session: number): Loaded {
  const found = sessions.get(session);
  if (found === undefined) throw new Error(`Session ${session} has been released.`);
  return found;
}

function window(buffer: string, offset: number, length: number): Float32Array {
  const found = buffers.get(buffer);
  if (found === undefined) throw new Error(`No buffer "${buffer}".`);
  if (offset < 0 || offset + length > found.length) {
    throw new Error(`Buffer "${buffer}" holds ${found.length} numbers, asked for ${length} from ${offset}.`);
  }
  return found.subarray(offset, offset + length);
}

function plain(tensor: OnnxRuntime.InferenceSession.OnnxValueMapType[string] | undefined): Tensor {
  if (tensor === undefined) throw new Error("A session left out an output.");
  return { type: tensor.type, data: tensor.data, dims: [...tensor.dims] } as Tensor;
}

function size(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

function mapValues<A, B>(record: { readonly [name: string]: A }, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
