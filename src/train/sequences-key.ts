// What a set of training texts is called in keys: a hash of its tokens.

import { createHash } from "node:crypto";
import type { TokenSequence } from "../model.ts";

/** SHA-256 over prompt lengths, lengths and tokens, in order. */
export function sequencesKey(sequences: readonly TokenSequence[]): string {
  const hash = createHash("sha256");
  for (const { tokens, promptLength } of sequences) hash.update(Int32Array.of(promptLength, tokens.length, ...tokens));
  return hash.digest("hex");
}
