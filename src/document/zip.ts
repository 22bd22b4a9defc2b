// ZIP files: archives, and what office documents and books are packed in (PKWARE's APPNOTE 6.3). Unpacks no more than it may.
import { inflateRawSync } from "node:zlib";
import type { Part, RawFile, Reading } from "./converted.ts";
import { size, Unreadable } from "./limits.ts";

export interface ZipEntry {
  readonly name: string;
  readonly encrypted: boolean;
  /** Unpacks it, at the cost of the reading's budget. Throws Unreadable when it is encrypted, broken, or too large. */
  read(): Uint8Array;
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_SIZE = 22;
const LONGEST_COMMENT = 0xffff;

/** The files of an archive. */
export async function* readZip(file: RawFile, reading: Reading): AsyncIterable<Part> {
  for (const entry of zipEntries(file, reading)) yield { kind: "file", name: entry.name, open: () => entry.read() };
}

/** The files of a ZIP, in the order of its directory; folders are left out. Unpacks nothing yet. */
export function zipEntries({ bytes }: Pick<RawFile, "bytes">, reading: Reading): ZipEntry[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return directory(buffer, reading);
  } catch (cause) {
    if (cause instanceof RangeError) throw broken(cause);
    throw cause;
  }
}

const broken = (cause?: unknown): Unreadable => new Unreadable("is a broken ZIP file. Copy or save it again.", { cause });

function directory(buffer: Buffer, reading: Reading): ZipEntry[] {
  const { count, offset } = endOf(buffer);
  const { entries: most } = reading.limits;
  if (count > most) throw new Unreadable(`holds ${count} files, more than the ${most} that are read. Unpack it and name its folders.`);
  const entries: ZipEntry[] = [];
  let at = offset;
  for (let index = 0; index < count; index++) {
    if (buffer.readUInt32LE(at) !== ENTRY) throw broken();
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => buffer.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ];
    const nameEnd = at + 46 + nameLength;
    if (nameEnd + extraLength > buffer.length) throw broken();
    const name = nameOf(buffer.subarray(at + 46, nameEnd), (buffer.readUInt16LE(at + 8) & 0x800) !== 0);
    if (!name.endsWith("/")) entries.push(entryOf({ buffer, at, name, extra: buffer.subarray(nameEnd, nameEnd + extraLength), reading }));
    at = nameEnd + extraLength + commentLength;
  }
  return entries;
}

function endOf(buffer: Buffer): { readonly count: number; readonly offset: number } {
  const first = Math.max(0, buffer.length - END_SIZE - LONGEST_COMMENT);
  for (let at = buffer.length - END_SIZE; at >= first; at--) {
    if (buffer.readUInt32LE(at) !== END) continue;
    const locator = at - 20;
    if (locator >= 0 && buffer.readUInt32LE(locator) === LOCATOR_64) {
      const end = Number(buffer.readBigUInt64LE(locator + 8));
      if (buffer.readUInt32LE(end) !== END_64) throw broken();
      return { count: Number(buffer.readBigUInt64LE(end + 32)), offset: Number(buffer.readBigUInt64LE(end + 48)) };
    }
    return { count: buffer.readUInt16LE(at + 10), offset: buffer.readUInt32LE(at + 16) };
  }
  throw broken();
}

/** Names are UTF-8 where the file says so; others are mostly UTF-8 too. */
function nameOf(bytes: Buffer, utf8: boolean): string {
  const text = bytes.toString("utf8");
  return (utf8 || !text.includes("\ufffd") ? text : bytes.toString("latin1")).replaceAll("\\", "/");
}

interface EntryOf {
  readonly buffer: Buffer;
  readonly at: number;
  readonly name: string;
  readonly extra: Buffer;
  readonly reading: Reading;
}

function entryOf({ buffer, at, name, extra, reading }: EntryOf): ZipEntry {
  const encrypted = (buffer.readUInt16LE(at + 8) & 1) !== 0;
  const method = buffer.readUInt16LE(at + 10);
  const [packed, local] = wide(extra, [buffer.readUInt32LE(at + 24), buffer.readUInt32LE(at + 20), buffer.readUInt32LE(at + 42)]);
  const read = (): Uint8Array => {
    if (encrypted) throw new Unreadable("is encrypted. Save it without a password.");
    if (buffer.readUInt32LE(local) !== LOCAL) throw broken();
    const start = local + 30 + buffer.readUInt16LE(local + 26) + buffer.readUInt16LE(local + 28);
    if (start + packed > buffer.length) throw broken();
    return spend(unpack(buffer.subarray(start, start + packed), method, reading), reading);
  };
  const guarded = (): Uint8Array => {
    try {
      return read();
    } catch (cause) {
      throw cause instanceof RangeError ? broken(cause) : cause;
    }
  };
  return { name, encrypted, read: guarded };
}

/** Packed size and place of an entry: those that do not fit 32 bits stand in the ZIP64 field, in the order size, packed size, place. */
function wide(extra: Buffer, [full, packed, local]: [number, number, number]): [number, number] {
  let field: Buffer | undefined;
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === 1) field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  let at = 0;
  const [, widePacked, wideLocal] = [full, packed, local].map((value) => {
    if (value !== 0xffffffff || field === undefined) return value;
    at += 8;
    return Number(field.readBigUInt64LE(at - 8));
  });
  return [widePacked!, wideLocal!];
}

function unpack(bytes: Buffer, method: number, { unpacked, limits }: Reading): Uint8Array {
  if (method === 0) return bytes;
  if (method !== 8) throw new Unreadable(`is packed by a method (${method}) that is not read. Save it again as an ordinary ZIP.`);
  try {
    return inflateRawSync(bytes, { maxOutputLength: Math.max(1, unpacked.left) });
  } catch (cause) {
    throw isTooLarge(cause) ? tooLarge(limits.unpackedBytes) : broken(cause);
  }
}

/** Counts what was unpacked. Throws Unreadable when that is more than may be. */
export function spend(bytes: Uint8Array, { unpacked, limits }: Reading): Uint8Array {
  unpacked.left -= bytes.length;
  if (unpacked.left < 0) throw tooLarge(limits.unpackedBytes);
  return bytes;
}

export function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

export function tooLarge(limit: number): Unreadable {
  return new Unreadable(`unpacks to more than ${size(limit)}. Split it, if it is no zip bomb.`);
}
