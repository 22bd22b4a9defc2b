// More tokens for a byte-level BPE tokenizer, for the words of a field. Knows nothing of models or files.
import { type BpeModel, createTokenizer } from "./bpe.ts";
import { countPairs, countPieces, sidesOf, type Word } from "./pair-counts.ts";

export interface ExtendBpeOptions {
  readonly model: BpeModel;
  /** Plain text of the field. */
  readonly texts: Iterable<string>;
  /** New tokens at most. */
  readonly count: number;
  /** A pair that stands there more rarely becomes no token: its row would learn nothing. */
  readonly leastOccurrences?: number;
}

export interface NewToken {
  /** Spelled in the byte-level alphabet. */
  readonly token: string;
  /** Ids of the old tokens that it stands for. */
  readonly pieces: readonly number[];
  /** Tokens that the texts are shorter by for it, beyond those new tokens that came before. */
  readonly saved: number;
}

export interface ExtendedBpe {
  /** The old tokens under their old ids, then the new ones. */
  readonly model: BpeModel;
  /** In the order of their ids: what saves most first, unless it is made of others. */
  readonly added: readonly NewToken[];
  /** What the texts take. */
  readonly tokens: { readonly before: number; readonly after: number };
}

/**
 * Goes on learning merges where the tokenizer's own training stopped, on the field's text (continued BPE training, Purason et al. 2025,
 * https://arxiv.org/abs/2512.03989): of the texts as they are tokenised now, the pair that stands there most often, which is the one that
 * saves most tokens, becomes a token and the last merge, again and again. New merges rank behind all old ones, so a piece of text is
 * first cut as ever and then merged further: no new token is out of reach, as many are of a vocabulary that was learnt apart and
 * appended, and whoever reads tokens and merges gives the same ids without any rule of its own.
 */
export function extendBpe({ model, texts, count, leastOccurrences = 5 }: ExtendBpeOptions): ExtendedBpe {
  const tokens = [...model.tokens];
  const known = new Set(tokens);
  const words = wordsOf(model, texts);
  const before = lengthOf(words);
  const pairs = countPairs(words);
  const added: NewToken[] = [];
  const merges: string[] = [];
  const piecesOf = (id: number): readonly number[] => added[id - model.tokens.length]?.pieces ?? [id];
  while (added.length < count) {
    const top = pairs.mostFrequent();
    if (top === undefined || top.count < leastOccurrences) break;
    const [left, right] = sidesOf(top.pair);
    const token = `${tokens[left]}${tokens[right]}`;
    // Old merges may go on from an old token; a pair that spells one, come about by another way, stays as it is.
    if (known.has(token)) continue;
    added.push({ token, pieces: [...piecesOf(left), ...piecesOf(right)], saved: top.count });
    merges.push(`${tokens[left]} ${tokens[right]}`);
    pairs.merge(top.pair, tokens.length);
    tokens.push(token);
    known.add(token);
  }
  return { model: { ...model, tokens, merges: [...model.merges, ...merges] }, added, tokens: { before, after: lengthOf(words) } };
}

function wordsOf(model: BpeModel, texts: Iterable<string>): readonly Word[] {
  const tokenizer = createTokenizer(model);
  const { preTokeniser } = model;
  // As in encoding, where an empty one is no marker.
  const markers = model.addedTokens.filter((token) => token !== "");
  return Array.from(countPieces({ texts, markers, preTokeniser }), ([piece, count]) => ({ symbols: tokenizer.encode(piece), count }));
}

function lengthOf(words: readonly Word[]): number {
  return words.reduce((sum, { symbols, count }) => sum + symbols.length * count, 0);
}
