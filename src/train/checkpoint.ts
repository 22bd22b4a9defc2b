// A run's state on disk, so that it can go on after any stop with the same weights, bit for bit. Knows files, not training.

import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, UserError, writeError } from "../errors.ts";
import { temporaryPrefix, writeFileAtomic } from "../util/atomic.ts";
import { type Engine, type StateBuffer, stateBuffers } from "./engine.ts";
import type { EpochLoss } from "./events.ts";

/** Where a run stands between two steps. The order of the data follows from seed and epoch, so the step is enough to find it. */
export interface Progress {
  /** Updates taken. */
  readonly step: number;
  readonly losses: readonly EpochLoss[];
  /** Loss times rows, and rows, of the steps since the last epoch ended. */
  readonly running: { readonly loss: number; readonly rows: number };
  /** Loss of the first step. */
  readonly firstLoss?: number;
  readonly best?: { readonly epoch: number; readonly loss: number };
  readonly stoppedEarly: boolean;
}

interface Saved {
  /** Of the options and data of the run. */
  readonly key: string;
  readonly progress: Progress;
}

const STATE = "state.json";
const BEST = "best.f32";
/** Numbers that are moved at once. */
const PIECE = 2 ** 22;

/** The checkpoints of one run, in a folder of their own. */
export class Checkpoints {
  readonly #folder: string;
  readonly #key: string;

  constructor({ folder, key }: { readonly folder: string; readonly key: string }) {
    this.#folder = folder;
    this.#key = key;
  }

  /** Where the run stood, its state put back into the engine; nothing if it has not been saved. @throws {UserError} if the folder is another run's. */
  async load(engine: Engine): Promise<Progress | undefined> {
    const text = await readFile(join(this.#folder, STATE), "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const { key, progress } = JSON.parse(text) as Saved;
    if (key !== this.#key) {
      throw new UserError(
        `The checkpoint in ${this.#folder} belongs to another run (other data, model or settings). Choose another folder or delete this one.`,
      );
    }
    for (const buffer of stateBuffers) await this.#loadBuffer(engine, buffer, this.#stateFile(buffer, progress.step));
    return progress;
  }

  /** Saves state and progress; a stop at any point leaves the last whole checkpoint. */
  async save(engine: Engine, progress: Progress): Promise<void> {
    const files = stateBuffers.map((buffer) => ({ buffer, path: this.#stateFile(buffer, progress.step) }));
    await this.#writing(files, async () => {
      for (const { buffer, path } of files) await this.#saveBuffer(engine, buffer, path);
      await writeFileAtomic(join(this.#folder, STATE), JSON.stringify({ key: this.#key, progress } satisfies Saved));
    });
    for (const name of await readdir(this.#folder)) {
      const old = name.startsWith("step-") && !name.startsWith(`step-${progress.step}-`);
      if (old || name.startsWith(temporaryPrefix)) await rm(join(this.#folder, name), { force: true });
    }
  }

  /** Keeps the weights as they are now as the best of an epoch. */
  async saveBest(engine: Engine, epoch: number): Promise<void> {
    const path = this.#bestFile(epoch);
    await this.#writing([{ path }], () => this.#saveBuffer(engine, "parameter", path));
  }

  /** The best weights back into the engine. */
  async loadBest(engine: Engine, epoch: number): Promise<void> {
    await this.#loadBuffer(engine, "parameter", this.#bestFile(epoch));
  }

  /** Removes the best weights of all other epochs: once progress that names the new ones is saved. */
  async dropBestExcept(epoch: number): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (name.endsWith(BEST) && join(this.#folder, name) !== this.#bestFile(epoch)) await rm(join(this.#folder, name), { force: true });
    }
  }

  /** Writes new files; when that fails they are removed, and what stood before them stands. */
  async #writing(files: readonly { readonly path: string }[], write: () => Promise<void>): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    try {
      await write();
    } catch (error) {
      for (const { path } of files) await rm(path, { force: true });
      throw writeError(error, this.#folder, "Make room and run it again: it goes on from its last checkpoint.");
    }
  }

  async #saveBuffer(engine: Engine, buffer: StateBuffer, path: string): Promise<void> {
    const pieces = async function* () {
      for (let offset = 0; offset < engine.size; offset += PIECE) {
        const data = await engine.read(buffer, offset, Math.min(PIECE, engine.size - offset));
        yield new Uint8Array(data.buffer);
      }
    };
    await writeFile(path, pieces());
  }

  async #loadBuffer(engine: Engine, buffer: StateBuffer, path: string): Promise<void> {
    const file = await open(path).catch((cause: unknown) => {
      throw new UserError(`The checkpoint in ${this.#folder} is not whole: ${messageOf(cause)}. Delete the folder and train again.`, {
        cause,
      });
    });
    try {
      const { size } = await file.stat();
      if (size !== 4 * engine.size)
        throw new UserError(`${path} has ${size} bytes in place of ${4 * engine.size}. Delete the folder and train again.`);
      for (let offset = 0; offset < engine.size; offset += PIECE) {
        const numbers = new Float32Array(Math.min(PIECE, engine.size - offset));
        await file.read(new Uint8Array(numbers.buffer), 0, numbers.byteLength, 4 * offset);
        await engine.write(buffer, numbers, offset);
      }
    } finally {
      await file.close();
    }
  }

  #stateFile(buffer: StateBuffer, step: number): string {
    return join(this.#folder, `step-${step}-${buffer}.f32`);
  }

  #bestFile(epoch: number): string {
    return join(this.#folder, `epoch-${epoch}-${BEST}`);
  }
}
