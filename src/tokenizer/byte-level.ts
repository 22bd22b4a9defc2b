// The byte-level alphabet of GPT-2: every byte as one printable character. Knows no vocabulary.

const printable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);

/** The character of each byte: itself where it is printable, else the next free one from U+0100 on (Radford et al. 2019, `bytes_to_unicode`). */
const characters: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

const bytes = new Map(characters.map((character, byte) => [character, byte]));

const encoder = new TextEncoder();

/** All 256 characters in the order of their code points, as vocabularies list them. */
export const byteAlphabet: readonly string[] = characters.toSorted((a, b) => a.charCodeAt(0) - b.charCodeAt(0));

/** A text's UTF-8 bytes, one character each; half a surrogate pair becomes U+FFFD. */
export function toByteLevel(text: string): string {
  let spelled = "";
  for (const byte of encoder.encode(text)) spelled += characters[byte];
  return spelled;
}

/** The bytes that a byte-level spelling stands for; characters outside the alphabet give their own UTF-8 bytes. */
export function fromByteLevel(spelled: string): number[] {
  return Array.from(spelled).flatMap((character) => bytes.get(character) ?? [...encoder.encode(character)]);
}
