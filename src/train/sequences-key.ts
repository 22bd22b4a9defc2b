// What a set of training texts is called in keys: a hash of its tokens.

import type { TokenSequence } from "../model.ts";
import { sha256Pieces } from "../util/hash.ts";

/** SHA-256 over prompt lengths, lengths and tokens, in order. JSON of a large set would take seconds. */
export function sequencesKey(sequences: readonly TokenSequence[]): Promise<string> {
  const pieces = function* () {
    for (const { tokens, promptLength } of sequences) yield new Uint8Array(Int32Array.of(promptLength, tokens.length, ...tokens).buffer);
  };
  return sha256Pieces(pieces());
}
