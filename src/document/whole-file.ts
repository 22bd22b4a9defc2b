// The bytes of a file, where they are no more than are read.
import { open } from "node:fs/promises";
import { type Limits, size, Unreadable } from "./limits.ts";

/** Throws Unreadable for a file that is larger than may be, and what the file system throws. */
export async function readWhole(path: string, { fileBytes }: Limits): Promise<Uint8Array> {
  await using file = await open(path);
  const { size: bytes } = await file.stat();
  if (bytes > fileBytes) throw new Unreadable(`is ${size(bytes)} large, more than the ${size(fileBytes)} that are read. Split it.`);
  return file.readFile();
}
