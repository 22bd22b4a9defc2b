// Learns a byte-level BPE vocabulary from texts. Knows nothing of models or files.
import type { BpeModel } from "./bpe.ts";
import { byteAlphabet, toByteLevel } from "./byte-level.ts";
import { countPairs, countPieces, sidesOf, type Word } from "./pair-counts.ts";
import type { PreTokeniserName } from "./pre-tokenise.ts";
import { UserError } from "../errors.ts";

export interface TrainBpeOptions {
  readonly texts: Iterable<string>;
  /** Special tokens and the 256 bytes included; fewer where the texts hold no more pairs. */
  readonly vocabularySize: number;
  /** Take the first ids, in this order; where they stand in the texts, nothing is merged over them. */
  readonly specialTokens?: readonly string[];
  readonly preTokeniser?: PreTokeniserName;
}

/**
 * The vocabulary that merging the most frequent pair, again and again, makes of the texts (Sennrich et al. 2016). Of equally
 * frequent pairs the one with the smaller ids goes first, so the result depends on nothing but the texts.
 * @throws {UserError} when `vocabularySize` has no room for the 256 bytes and the special tokens.
 */
export function trainBpe({ texts, vocabularySize, specialTokens = [], preTokeniser = "gpt-2" }: TrainBpeOptions): BpeModel {
  const least = byteAlphabet.length + specialTokens.length;
  if (vocabularySize < least) {
    throw new UserError(
      `A vocabulary of ${vocabularySize} tokens has no room for the 256 bytes and ${specialTokens.length} special tokens. Take ${least} at least.`,
    );
  }
  const tokens = [...specialTokens, ...byteAlphabet];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const words = Array.from(countPieces({ texts, markers: specialTokens, preTokeniser }), ([piece, count]): Word => {
    return { symbols: Array.from(toByteLevel(piece), (character) => ids.get(character)!), count };
  });
  const pairs = countPairs(words);
  const merges = new Set<string>();
  for (let top = pairs.mostFrequent(); top && tokens.length < vocabularySize; top = pairs.mostFrequent()) {
    const [left, right] = sidesOf(top.pair).map((id) => tokens[id]!);
    const merged = `${left}${right}`;
    merges.add(`${left} ${right}`);
    const known = ids.get(merged);
    const id = known ?? tokens.length;
    if (known === undefined) {
      ids.set(merged, id);
      tokens.push(merged);
    }
    pairs.merge(top.pair, id);
  }
  return { tokens, merges: [...merges], specialTokens, addedTokens: [], preTokeniser };
}
