// A multi-modal embedding model from a folder (CLIP, SigLIP, CLAP): texts and pictures, or texts and sounds, in one space of vectors.
import { readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { Unreadable } from "../document/limits.ts";
import { messageOf, UserError } from "../errors.ts";
import type { EmbeddingModel } from "../model.ts";
import { contentKey, sha256File } from "../util/hash.ts";
import { mediaNames } from "./formats.ts";
import { families, type Family } from "./families.ts";
import type { MultimodalAnswer, MultimodalRequest } from "./multimodal-process.ts";
import { Process } from "./process.ts";

export interface OpenMultimodalOptions {
  /** As transformers.js lays them out. */
  readonly folder: string;
  readonly family: Family;
  readonly threads: number;
  /** Where `sartor setup local` put transformers.js, tried when it does not lie beside this package. */
  readonly packagesFolder?: string | undefined;
}

/** The family of the model in a folder; none where it is no multi-modal one. @throws {UserError} for a config.json that can't be read. */
export async function multimodalFamily(folder: string): Promise<Family | undefined> {
  const path = join(folder, "config.json");
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { model_type: type } = z.object({ model_type: z.string().optional() }).parse(JSON.parse(text));
    return type !== undefined && Object.hasOwn(families, type) ? families[type] : undefined;
  } catch (cause) {
    throw new UserError(`${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Opens the model in a process of its own, which ends when this is disposed. Texts too long for the model lose their end; of a sound longer
 * than the model hears, the vector is the mean of its parts'.
 * @throws {UserError} where a file of the model is missing, or transformers.js is not installed.
 */
export async function openMultimodal({ folder, family, threads, packagesFolder }: OpenMultimodalOptions): Promise<EmbeddingModel> {
  const towers = await Promise.all([family.text, family.media].map(async ({ file }) => ({ file, ...(await onnxOf(folder, file)) })));
  const others = ["config.json", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"].map((name) => join(folder, name));
  for (const path of others) if (!(await isFile(path))) throw missing(folder, basename(path));
  const hashes = await Promise.all([...towers.map(({ path }) => path), ...others].map(sha256File));
  const quantised = towers.flatMap((tower) => (tower.quantised ? [tower.file] : []));
  const model = new Model({ call: "open", opening: { folder: resolve(folder), family, quantised, packagesFolder, threads } }, folder);
  const { kind } = family.media;
  try {
    return {
      id: basename(resolve(folder)),
      key: contentKey(hashes),
      dimensions: (await model.vector({ call: "text", text: "a" })).length,
      embed: async (texts, signal) => {
        const vectors: Float32Array[] = [];
        for (const text of texts) vectors.push(await model.vector({ call: "text", text }, signal));
        return vectors;
      },
      media: {
        kinds: [kind],
        embed: async (media, signal) => {
          if (media.kind === kind) return model.vector({ call: "media", media }, signal);
          throw new UserError(
            `${folder} holds a model of ${mediaNames[kind]}s, which has no vector for a ${mediaNames[media.kind]}. Name another.`,
          );
        },
      },
      [Symbol.asyncDispose]: async () => model.end(),
    };
  } catch (error) {
    model.end();
    throw error;
  }
}

/** Seconds that loading a model, and one text, picture or sound may take. */
const SECONDS = { open: 600, embed: 120 } as const;

/** The process, opened again by itself where something ended it. */
class Model {
  readonly #process = new Process<MultimodalRequest, MultimodalAnswer>(new URL(import.meta.url), "multimodal-process");
  readonly #opening: MultimodalRequest;
  readonly #folder: string;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(opening: MultimodalRequest, folder: string) {
    this.#opening = opening;
    this.#folder = folder;
  }

  /** One at a time. */
  vector(request: MultimodalRequest, signal?: AbortSignal): Promise<Float32Array> {
    const next = this.#queue.then(async () => {
      signal?.throwIfAborted();
      if (await this.#process.start()) await this.#open();
      return this.#vectorOf(await this.#process.ask(request, SECONDS.embed));
    });
    this.#queue = next.catch(() => undefined);
    return next;
  }

  end(): void {
    this.#process.end();
  }

  async #open(): Promise<void> {
    const answer = await this.#process.ask(this.#opening, SECONDS.open);
    if (typeof answer === "object") this.#vectorOf(answer);
    else throw new UserError(`${this.#folder} holds no multi-modal model that runs: the process that loads it ended.`);
  }

  #vectorOf(answer: MultimodalAnswer | "late" | "ended"): Float32Array {
    if (answer === "late") throw new Unreadable(`takes more than ${SECONDS.embed} seconds to read. Make it smaller, or leave it out.`);
    if (answer === "ended") throw new Unreadable("ends the process that reads it. Save it again with the program that made it.");
    if (answer.ok) return answer.vector;
    if (answer.fault === "media") throw new Unreadable(answer.message);
    this.#process.end();
    if (answer.fault === "model") throw new UserError(`${this.#folder} holds no multi-modal model that runs: ${answer.message}`);
    const message = "Pictures and sounds are embedded by transformers.js, which is not installed. To install it, run: sartor setup local";
    throw new UserError(message, { cause: new Error(answer.message) });
  }
}

async function onnxOf(folder: string, file: string): Promise<{ readonly path: string; readonly quantised: boolean }> {
  const at = (name: string): string => join(folder, "onnx", `${name}.onnx`);
  if (await isFile(at(`${file}_quantized`))) return { path: at(`${file}_quantized`), quantised: true };
  if (await isFile(at(file))) return { path: at(file), quantised: false };
  throw missing(folder, `onnx/${file}.onnx`);
}

function missing(folder: string, file: string): UserError {
  return new UserError(`${folder} holds no whole multi-modal model: there is no ${file}. Name a folder as transformers.js lays them out.`);
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
