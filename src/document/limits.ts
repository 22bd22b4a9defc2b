// What reading one file may take at most, and what is said of a file that is not read. A hostile file costs this much and one line.

export interface Limits {
  /** Bytes of a file as it lies on disk. */
  readonly fileBytes: number;
  /** Bytes that all compressed parts of a file may unpack to together, whatever is nested in it. */
  readonly unpackedBytes: number;
  /** Files in an archive, or parts of an office document. */
  readonly entries: number;
  /** Archives in archives, attachments of attached messages. */
  readonly depth: number;
  /** Elements within elements of an XML part. */
  readonly nesting: number;
  /** Characters of one document's text. */
  readonly characters: number;
  /** Resident bytes of the process that reads. */
  readonly memoryBytes: number;
  /** Seconds until the next document of a file. */
  readonly seconds: number;
}

export const defaultLimits: Limits = {
  fileBytes: 2 ** 30,
  unpackedBytes: 2 ** 29,
  entries: 100_000,
  depth: 3,
  nesting: 1000,
  characters: 100_000_000,
  memoryBytes: 3 * 2 ** 30,
  seconds: 120,
};

/** Why a file is not read. The message goes on after its name: `is encrypted. Save it without a password.` */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

const units = ["bytes", "kB", "MB", "GB"] as const;

/** `512 MB` */
export function size(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power]}`;
}
