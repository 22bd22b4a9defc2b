// Writes a new file piece by piece, several files side by side, without holding them.
import { closeSync, openSync, writeSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";

const TOGETHER = 1 << 20;

/** A crash leaves a part of the file: nothing may name it before {@link syncFiles}. */
export class PieceWriter implements Disposable {
  readonly #descriptor: number;
  readonly #waiting = new Uint8Array(TOGETHER);
  #filled = 0;
  #written = 0;
  #open = true;

  constructor(path: string) {
    this.#descriptor = openSync(path, "w");
  }

  /** Bytes so far: where the next piece begins. */
  get bytes(): number {
    return this.#written + this.#filled;
  }

  write({ buffer, byteOffset, byteLength }: ArrayBufferView): void {
    const piece = new Uint8Array(buffer, byteOffset, byteLength);
    if (this.#filled + byteLength > TOGETHER) this.#flush();
    if (byteLength > TOGETHER) return this.#append(piece);
    this.#waiting.set(piece, this.#filled);
    this.#filled += byteLength;
  }

  /** Writes what waits. */
  finish(): void {
    this.#flush();
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }

  #flush(): void {
    this.#append(this.#waiting.subarray(0, this.#filled));
    this.#filled = 0;
  }

  #append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
    this.#written += bytes.length;
  }
}

/** Sees all files of a folder on the disk: together, for one by one each waits for the disk anew. */
export async function syncFiles(folder: string): Promise<void> {
  const sync = async (name: string): Promise<void> => {
    const file = await open(join(folder, name), "r+");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  };
  await Promise.all((await readdir(folder)).map(sync));
}
