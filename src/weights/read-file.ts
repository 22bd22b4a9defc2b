// Reads ranges of a file, of any size. Knows no format.
import { open, type FileHandle } from "node:fs/promises";
import { messageOf, UserError } from "../errors.ts";

export interface OpenFile {
  readonly size: number;
  /** Exactly `bytes` bytes from `offset` on. @throws {UserError} when the file ends before. */
  readonly read: (offset: number, bytes: number) => Promise<Uint8Array>;
}

/** Runs `use` on a file and closes it. @throws {UserError} when it cannot be opened, or `use` throws one. */
export async function withFile<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const handle = await open(path, "r").catch((cause: unknown) => {
    throw new UserError(`Cannot read ${path}: ${messageOf(cause)}. Check the path.`, { cause });
  });
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new UserError(`Cannot read ${path}: it is no file. Check the path.`);
    return await use({ size: status.size, read: (offset, bytes) => readRange(handle, { path, offset, bytes }) });
  } finally {
    await handle.close();
  }
}

interface Range {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

async function readRange(handle: FileHandle, { path, offset, bytes }: Range): Promise<Uint8Array> {
  const buffer = new Uint8Array(bytes);
  // One read call ends at 2 GiB, so large tensors come in parts.
  for (let done = 0; done < bytes;) {
    const { bytesRead } = await handle.read(buffer, done, Math.min(bytes - done, 2 ** 30), offset + done);
    if (bytesRead === 0)
      throw new UserError(`${path} ends at byte ${offset + done}, before byte ${offset + bytes}. Fetch or export it again.`);
    done += bytesRead;
  }
  return buffer;
}
