// One file on disk -> its documents, and what of it could not be read: archives and attachments are opened, however deep.
import type { Converted, RawFile, Reading } from "./converted.ts";
import { formatNamed, formatOf, type ReadAs, readerAs } from "./formats.ts";
import { type Limits, Unreadable } from "./limits.ts";

export type Piece =
  /** A file is about to be read: what takes too long after this is that one. */
  | { readonly kind: "begin"; readonly inner: string }
  | (Converted & { readonly kind: "document"; readonly inner: string })
  | { readonly kind: "skipped"; readonly inner: string; readonly reason: string }
  /** Files in archives of formats that are not read, one of their names, and how many. */
  | { readonly kind: "others"; readonly inner: string; readonly count: number };

export interface PiecesOptions {
  readonly file: RawFile;
  readonly limits: Limits;
  /** Instead of what its name and its first bytes say. */
  readonly as?: ReadAs | undefined;
  /** Files that were read before, or that failed: they are passed over. */
  readonly from?: number;
}

interface Progress {
  readonly reading: Reading;
  readonly limits: Limits;
  passed: number;
  readonly from: number;
}

/** The pieces in order. `inner` is a path within the file, empty for the file itself. Throws nothing: what fails is skipped, with its reason. */
export function piecesOf({ file, limits, as, from = 0 }: PiecesOptions): AsyncIterable<Piece> {
  const progress: Progress = { reading: { limits, unpacked: { left: limits.unpackedBytes } }, limits, passed: 0, from };
  return read({ name: file.name, open: () => file.bytes, inner: "", depth: 0, as }, progress);
}

interface Opened {
  readonly name: string;
  readonly open: () => Uint8Array;
  readonly inner: string;
  readonly depth: number;
  readonly as?: ReadAs | undefined;
}

async function* read({ name, open, inner, depth, as }: Opened, progress: Progress): AsyncIterable<Piece> {
  const { reading, limits, from } = progress;
  const again = progress.passed++ < from;
  let others: Extract<Piece, { kind: "others" }> | undefined;
  try {
    if (depth > limits.depth)
      throw new Unreadable(`lies in more than ${limits.depth} archives, one in another. Unpack it, if it is no bomb.`);
    if (!again) yield { kind: "begin", inner };
    const file = { name, bytes: open() };
    const format = as === undefined ? formatOf(file, reading) : undefined;
    if (again && format?.holdsFiles !== true) return;
    const reader = as === undefined ? await format!.load() : await readerAs(as);
    for await (const part of reader(file, reading)) {
      const below = part.kind === "file" ? part.name : (part.inner ?? "");
      const path = inner === "" || below === "" ? inner + below : `${inner}/${below}`;
      if (part.kind === "document") {
        if (again) continue;
        if (part.text.length > limits.characters) throw new Unreadable(`holds more than ${limits.characters} characters. Split it.`);
        yield { ...part, inner: path };
      } else if (isHidden(part.name)) continue;
      else if (formatNamed(part.name) === undefined)
        others = { kind: "others", inner: others?.inner ?? path, count: (others?.count ?? 0) + 1 };
      else yield* read({ name: part.name, open: part.open, inner: path, depth: depth + 1 }, progress);
    }
  } catch (error) {
    if (!again) yield { kind: "skipped", inner, reason: reasonOf(error) };
  }
  if (others !== undefined && !again) yield others;
}

const isHidden = (path: string): boolean => path.split("/").some((name) => /^[.~]|^__MACOSX$/.test(name));

function reasonOf(error: unknown): string {
  if (error instanceof Unreadable) return error.message;
  if (error instanceof RangeError && /call stack/i.test(error.message))
    return "nests its parts too deeply. Save it again with the program that made it.";
  const message = error instanceof Error ? error.message : String(error);
  return `is broken (${message.replaceAll(/\s+/g, " ").replace(/\.$/, "").slice(0, 120)}). Save it again with the program that made it.`;
}
