// Writes a file piece by piece under a temporary name, then renames it: a cut run leaves no half file. Knows no format.
import { mkdir, open, rename, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { threadId } from "node:worker_threads";
import { writeError } from "../errors.ts";
import { temporaryPrefix } from "../util/atomic.ts";

export type Append = (bytes: Uint8Array) => Promise<void>;

let files = 0;

/** Runs `write`, which appends the file's bytes; the file stands under its name only when all of them do. */
export async function writeFileInPieces(path: string, write: (append: Append) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `${temporaryPrefix}${basename(path)}.${process.pid}-${threadId}-w${++files}`);
  try {
    const handle = await open(temporary, "wx");
    try {
      await write((bytes) => appendAll(handle, bytes));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeError(error, path);
  }
}

async function appendAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  // One write call ends at 2 GiB.
  for (let done = 0; done < bytes.length;) {
    done += (await handle.write(bytes, done, Math.min(bytes.length - done, 2 ** 30))).bytesWritten;
  }
}
