// A picture or a sound from a file, for searching by it.
import { defaultLimits, Unreadable } from "../document/limits.ts";
import { readWhole } from "../document/whole-file.ts";
import { messageOf, UserError } from "../errors.ts";
import type { Media } from "../model.ts";
import { mediaExtensions, mediaKind } from "./formats.ts";

/** @throws {UserError} for a file that is none, or can't be read. */
export async function readMedia(path: string): Promise<Media> {
  const kind = mediaKind(path);
  if (kind === undefined)
    throw new UserError(`${path} is no picture and no sound. Name a file that ends with one of ${mediaExtensions.join(", ")}.`);
  try {
    return { kind, bytes: await readWhole(path, defaultLimits) };
  } catch (cause) {
    throw new UserError(cause instanceof Unreadable ? `${path} ${cause.message}` : `${path} can't be read: ${messageOf(cause)}`, { cause });
  }
}
