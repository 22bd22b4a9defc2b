// Writes a new file piece by piece, several files side by side, without holding them.
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";

const TOGETHER = 1 << 20;

/** A crash leaves a part of the file: nothing may name it before {@link PieceWriter.finish}. */
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

  /** Sees the file on the disk. */
  finish(): void {
    this.#flush();
    fsyncSync(this.#descriptor);
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
