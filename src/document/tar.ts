// Tape archives, packed with gzip or not (POSIX pax, section "ustar Interchange Format"; GNU's long names). Unpacks no more than it may.
import { gunzipSync } from "node:zlib";
import type { Part, RawFile, Reading } from "./converted.ts";
import { Unreadable } from "./limits.ts";
import { isTooLarge, spend, tooLarge } from "./zip.ts";

const BLOCK = 512;

/** The files of an archive; of a packed file that is none, the file itself. */
export async function* readTar({ name, bytes }: RawFile, reading: Reading): AsyncIterable<Part> {
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const unpacked = packed ? gunzip(bytes, reading) : bytes;
  if (isTar(unpacked))
    for (const { name: inner, bytes: content } of filesOf(unpacked, reading)) yield { kind: "file", name: inner, open: () => content };
  else if (packed && /\.gz$/i.test(name)) yield { kind: "file", name: baseName(name.replace(/\.gz$/i, "")), open: () => unpacked };
  else throw broken();
}

const broken = (cause?: unknown): Unreadable => new Unreadable("is a broken archive. Copy or make it again.", { cause });

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

function gunzip(bytes: Uint8Array, reading: Reading): Uint8Array {
  try {
    return spend(gunzipSync(bytes, { maxOutputLength: Math.max(1, reading.unpacked.left) }), reading);
  } catch (cause) {
    if (cause instanceof Unreadable) throw cause;
    throw isTooLarge(cause) ? tooLarge(reading.limits.unpackedBytes) : broken(cause);
  }
}

/** The sum of a header's bytes stands in it; an archive of nothing is zeros. */
function isTar(bytes: Uint8Array): boolean {
  if (bytes.length < BLOCK) return false;
  const header = bytes.subarray(0, BLOCK);
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  return sum === number(header, 148, 8) || header.every((byte) => byte === 0);
}

function field(header: Uint8Array, at: number, length: number): string {
  const bytes = header.subarray(at, at + length);
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString("utf8");
}

/** Octal digits; large sizes are binary, marked by the first bit. */
function number(header: Uint8Array, at: number, length: number): number {
  if ((header[at]! & 0x80) !== 0) return Number(Buffer.from(header.subarray(at + length - 8, at + length)).readBigUInt64BE());
  return Number.parseInt(field(header, at, length).trim() || "0", 8);
}

function* filesOf(bytes: Uint8Array, { limits }: Reading): Iterable<RawFile> {
  let [files, longName, at] = [0, "", 0];
  while (at + BLOCK <= bytes.length) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header[0] === 0) return;
    const length = number(header, 124, 12);
    const content = bytes.subarray(at + BLOCK, at + BLOCK + length);
    if (!(length >= 0) || content.length < length) throw broken();
    at += BLOCK + Math.ceil(length / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156]!);
    if (type === "L") longName = field(content, 0, content.length);
    else if (type === "x") longName = paxPath(content) ?? longName;
    else {
      const prefix = field(header, 257, 5) === "ustar" ? field(header, 345, 155) : "";
      const name = longName || (prefix === "" ? "" : `${prefix}/`) + field(header, 0, 100);
      longName = "";
      if (type !== "0" && type !== "\0") continue;
      if (++files > limits.entries)
        throw new Unreadable(`holds more than the ${limits.entries} files that are read. Unpack it and name its folders.`);
      yield { name: name.replace(/^(\.\/)+/, ""), bytes: content };
    }
  }
}

/** Records are `length key=value\n`. */
function paxPath(content: Uint8Array): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(Buffer.from(content).toString("utf8"))?.[1];
}
