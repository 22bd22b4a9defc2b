// The process that holds a multi-modal model by transformers.js: texts, pictures and sounds in, unit vectors out, one request at a time.
// A process of its own, because transformers.js loads ONNX Runtime into the thread that imports it, which no process survives twice; and
// because a picture that ends its decoder should end nothing else.
import { basename, dirname } from "node:path";
import { messageOf } from "../errors.ts";
import { Unreadable } from "../document/limits.ts";
import type { Media, MediaKind } from "../model.ts";
import { importPackage } from "../util/import-package.ts";
import type { Family, Tower } from "./families.ts";
import { readWav, resampled } from "./wav.ts";

export type MultimodalRequest =
  | { readonly call: "open"; readonly opening: Opening }
  | { readonly call: "text"; readonly text: string }
  | { readonly call: "media"; readonly media: Media };

export interface Opening {
  /** Absolute. */
  readonly folder: string;
  readonly family: Family;
  /** Files whose weights are quantised. */
  readonly quantised: readonly string[];
  readonly packagesFolder: string | undefined;
  readonly threads: number;
}

/** The first that it sends says only that it listens. */
export type MultimodalAnswer =
  | { readonly ok: true; readonly vector: Float32Array }
  /** `package`: transformers.js is not installed; `media`: that picture or sound can't be read. */
  | { readonly ok: false; readonly fault: "package" | "media" | "model"; readonly message: string };

interface Tensor {
  readonly data: Float32Array;
}
type Feeds = { readonly [name: string]: unknown };
type Load<T> = { from_pretrained(name: string, options?: object): Promise<T> };
type Run = (feeds: Feeds) => Promise<{ readonly [output: string]: Tensor | undefined }>;

/** What is used of transformers.js. */
interface Library {
  readonly env: { allowRemoteModels: boolean; localModelPath: string; logLevel: number };
  readonly AutoTokenizer: Load<(texts: readonly string[], options: object) => Feeds>;
  readonly AutoImageProcessor: Load<(image: unknown) => Promise<Feeds>>;
  readonly AutoFeatureExtractor: Load<
    ((samples: Float32Array) => Promise<Feeds>) & { readonly config: { readonly sampling_rate: number; readonly nb_max_samples: number } }
  >;
  readonly RawImage: { fromBlob(blob: Blob): Promise<{ rgb(): unknown }> };
}

interface Opened {
  readonly text: (text: string) => Promise<Float32Array>;
  readonly media: (media: Media) => Promise<Float32Array>;
}

let opened: Opened | undefined;

async function answer(request: MultimodalRequest): Promise<MultimodalAnswer> {
  try {
    if (request.call === "open") opened = await open(request.opening);
    const { text, media } = opened!;
    return {
      ok: true,
      vector: request.call === "media" ? await media(request.media) : await text(request.call === "text" ? request.text : "a"),
    };
  } catch (error) {
    const fault = error instanceof Unreadable ? "media" : error instanceof Missing ? "package" : "model";
    return { ok: false, fault, message: messageOf(error) };
  }
}

class Missing extends Error {}

async function open({ folder, family, quantised, packagesFolder, threads }: Opening): Promise<Opened> {
  const library = await load(packagesFolder);
  // Nothing is ever fetched: a file that is not in the folder is missing.
  Object.assign(library.env, { allowRemoteModels: false, localModelPath: dirname(folder), logLevel: 50 });
  const name = basename(folder);
  const tower = async ({ model, file, output }: Tower): Promise<(feeds: Feeds) => Promise<Float32Array>> => {
    const run = await (library as unknown as { readonly [model: string]: Load<Run> })[model]!.from_pretrained(name, {
      dtype: quantised.includes(file) ? "q8" : "fp32",
      session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
    });
    return async (feeds) => {
      const found = (await run(feeds))[output];
      if (found === undefined) throw new Error(`its ${file} gives no "${output}"`);
      return unit(Float32Array.from(found.data));
    };
  };
  const tokenize = await library.AutoTokenizer.from_pretrained(name);
  const runText = await tower(family.text);
  const runMedia = await tower(family.media);
  const feedsOf = await readers[family.media.kind](library, name);
  return {
    text: async (text) => runText(tokenize([text], { padding: family.text.padding, truncation: true })),
    media: async ({ bytes }) => {
      const vectors: Float32Array[] = [];
      for await (const feeds of feedsOf(bytes)) vectors.push(await runMedia(feeds));
      return mean(vectors);
    },
  };
}

async function load(packagesFolder: string | undefined): Promise<Library> {
  const beside = async (): Promise<unknown> => import("@huggingface/transformers");
  return (await importPackage({ name: "@huggingface/transformers", beside, folder: packagesFolder }).catch((cause: unknown) => {
    throw new Missing(messageOf(cause));
  })) as Library;
}

/** What the model is given of a file: a picture once, a sound in parts. */
type FeedsOf = (bytes: Uint8Array) => AsyncIterable<Feeds>;

const readers: { readonly [K in MediaKind]: (library: Library, name: string) => Promise<FeedsOf> } = {
  image: async ({ AutoImageProcessor, RawImage }, name) => {
    const process = await AutoImageProcessor.from_pretrained(name);
    return async function* (bytes) {
      yield await process((await decoded(RawImage, bytes)).rgb());
    };
  },
  sound: async ({ AutoFeatureExtractor }, name) => {
    const process = await AutoFeatureExtractor.from_pretrained(name);
    const { sampling_rate: rate, nb_max_samples: length } = process.config;
    return async function* (bytes) {
      const wav = readWav(bytes);
      for (const [start, end] of partsOf(wav.samples, Math.floor((length * wav.rate) / rate)))
        yield await process(resampled(wav.read(start, end), wav.rate, rate).subarray(0, length));
    };
  },
};

async function decoded(images: Library["RawImage"], bytes: Uint8Array): Promise<{ rgb(): unknown }> {
  try {
    return await images.fromBlob(new Blob([Uint8Array.from(bytes)]));
  } catch (cause) {
    const reason = messageOf(cause).replaceAll(/\s+/gu, " ").replace(/\.$/u, "").slice(0, 120);
    throw new Unreadable(`is no picture that can be read (${reason}). Save it again as PNG or JPEG.`);
  }
}

/** Parts of a sound that a model hears, at most. */
const MOST_PARTS = 30;

/** Parts of the longest length one after another; of a very long sound some, spread over it. */
export function partsOf(samples: number, length: number): readonly (readonly [number, number])[] {
  const all = Math.ceil(samples / length);
  const taken = Math.min(all, MOST_PARTS);
  return Array.from({ length: taken }, (_, part) => {
    const start = Math.floor((part * all) / taken) * length;
    return [start, Math.min(samples, start + length)] as const;
  });
}

function mean(vectors: readonly Float32Array[]): Float32Array {
  const [first, ...rest] = vectors;
  return rest.length === 0 ? first! : unit(rest.reduce((sum, vector) => sum.map((value, index) => value + vector[index]!), first!));
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}

let queue = Promise.resolve();
process.on("message", (request: MultimodalRequest) => {
  queue = queue.then(async () => void process.send?.(await answer(request)));
});
// The one that asks is gone.
process.on("disconnect", () => process.exit());
process.send?.("ready");
