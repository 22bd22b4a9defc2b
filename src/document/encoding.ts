// Bytes as text in whatever encoding they are. Knows nothing of what the text says.
import chardet from "chardet";
import { byteOrderMark, decode, supportedEncoding } from "../data/text-file.ts";
import { Unreadable } from "./limits.ts";

export interface Decoded {
  readonly text: string;
  readonly encoding: string;
  /** Nothing said so: the bytes look like it. */
  readonly guessed: boolean;
}

const HEAD = 1024;
const SAMPLE = 1 << 16;

/** Where more than one character in so many is one that no text holds, it is no text. */
const CONTROLS = 100;

/**
 * The text without its byte order mark. The mark decides, then what the text declares of itself, then whether it is UTF-8; else the
 * encoding is guessed. Throws Unreadable for bytes that are no text.
 */
export function decodeText(bytes: Uint8Array, declaredIn?: (head: string) => string | undefined): Decoded {
  const declared = declaredIn && supportedEncoding(declaredIn(Buffer.from(bytes.subarray(0, HEAD)).toString("latin1")));
  for (const encoding of [byteOrderMark(bytes), declared, "utf-8"]) {
    const text = encoding && attempt(bytes, encoding);
    if (text !== undefined && text !== "" && !(encoding === "utf-8" && text.includes("\0")))
      return { text, encoding: encoding!, guessed: false };
  }
  if (bytes.length === 0) return { text: "", encoding: "utf-8", guessed: false };
  const encoding = guess(bytes);
  const text = encoding && attempt(bytes, encoding);
  if (text === undefined || text === "" || holdsControls(text))
    throw new Unreadable("is no text: its bytes are of no encoding. Convert it, or leave it out.");
  return { text, encoding: encoding!, guessed: true };
}

function attempt(bytes: Uint8Array, encoding: string): string | undefined {
  try {
    return decode(bytes, encoding);
  } catch {
    return undefined;
  }
}

function guess(bytes: Uint8Array): string | undefined {
  const wide = utf16Of(bytes);
  if (wide !== undefined) return wide;
  for (const { name } of chardet.analyse(bytes.subarray(0, SAMPLE))) {
    const encoding = supportedEncoding(/^iso-8859-1$/i.test(name) ? "windows-1252" : name);
    if (encoding !== undefined && attempt(bytes, encoding) !== undefined) return encoding;
  }
  return "windows-1252";
}

/** In Latin script every other byte of UTF-16 is 0. */
function utf16Of(bytes: Uint8Array): string | undefined {
  const sample = bytes.subarray(0, SAMPLE);
  const zeros = [0, 0];
  sample.forEach((byte, index) => {
    if (byte === 0) zeros[index % 2]!++;
  });
  const [even, odd] = zeros.map((count) => count / (sample.length / 2)) as [number, number];
  if (odd > 0.4 && even < 0.05) return "utf-16le";
  return even > 0.4 && odd < 0.05 ? "utf-16be" : undefined;
}

function holdsControls(text: string): boolean {
  const sample = text.slice(0, SAMPLE);
  // eslint-disable-next-line no-control-regex
  const controls = sample.match(/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\ufffd]/g)?.length ?? 0;
  return controls * CONTROLS > sample.length;
}
