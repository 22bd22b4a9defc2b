// Files that are whole or not there: written beside their name, then renamed.
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { threadId } from "node:worker_threads";

/** What the names of unfinished files begin with; whoever lists a folder leaves them out. */
export const temporaryPrefix = "~";

let written = 0;

/**
 * Writes a file so that a reader, or a crash at any point, finds the old content or the new. Makes the folders above it.
 * Throws what the file system throws, and leaves no temporary file behind then.
 */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `${temporaryPrefix}${basename(path)}.${process.pid}-${threadId}-${++written}`);
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(content);
      // Without this a power cut may leave the new name with no content.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
