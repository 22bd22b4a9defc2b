// A byte-level BPE tokenizer: text to ids and back. Knows neither how it was trained nor in what file it lay.
import { fromByteLevel, toByteLevel } from "./byte-level.ts";
import { createHeap } from "./heap.ts";
import { preTokenise, takesWholePieces, type PreTokeniserName } from "./pre-tokenise.ts";

/** Everything that a byte-level BPE tokenizer is. */
export interface BpeModel {
  /** Tokens by id, spelled in the byte-level alphabet; special tokens as they are. */
  readonly tokens: readonly string[];
  /** Pairs in the order in which they merge, the two sides parted by a space. */
  readonly merges: readonly string[];
  /** Control tokens: found in a text only where it is asked for, never written by `decode` unless asked. */
  readonly specialTokens: readonly string[];
  /** Tokens that are always found whole in a text, before everything else. */
  readonly addedTokens: readonly string[];
  readonly preTokeniser: PreTokeniserName;
}

export interface Tokenizer {
  readonly model: BpeModel;
  /** Ids of a text; bytes without a token of their own (a few vocabularies lack some) are left out. `special`: names of special tokens in the text become those tokens (default: they are plain text). */
  encode(text: string, options?: { readonly special?: boolean }): number[];
  /** The text of ids; bytes that are no UTF-8 become U+FFFD. `special`: special tokens are written out (default: left out). */
  decode(ids: readonly number[], options?: { readonly special?: boolean }): string;
  /** The id of a token by its spelling. */
  id(token: string): number | undefined;
}

const CACHED_PIECES = 50_000;

/** A tokenizer over a BPE model (Sennrich et al. 2016, on bytes as in GPT-2): pieces, then merges in the order of their rank. */
export function createTokenizer(model: BpeModel): Tokenizer {
  const ids = new Map(model.tokens.map((token, id) => [token, id]));
  const special = new Set(model.specialTokens);
  const added = new Set(model.addedTokens);
  const encodePiece = createPieceEncoder(model, ids);
  const longestFirst = (tokens: Iterable<string>): string[] =>
    [...tokens].filter((token) => token !== "").sort((a, b) => b.length - a.length);
  const plainMarkers = longestFirst(added);
  const allMarkers = longestFirst([...added, ...special]);

  const encode: Tokenizer["encode"] = (text, { special: withSpecial = false } = {}) =>
    splitAt(text, withSpecial ? allMarkers : plainMarkers).flatMap((part) =>
      "marker" in part ? [ids.get(part.marker) ?? 0] : preTokenise(part.text, model.preTokeniser).flatMap(encodePiece),
    );

  const decode: Tokenizer["decode"] = (list, { special: withSpecial = false } = {}) => {
    const bytes: number[] = [];
    for (const id of list) {
      const token = model.tokens[id];
      if (token === undefined) throw new RangeError(`token ${id} of a vocabulary of ${model.tokens.length}`);
      if (special.has(token) && !withSpecial) continue;
      const spelled = special.has(token) || added.has(token) ? [...new TextEncoder().encode(token)] : fromByteLevel(token);
      for (const byte of spelled) bytes.push(byte);
    }
    // A byte order mark is text like any other here.
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
  };
  return { model, encode, decode, id: (token) => ids.get(token) };
}

type Part = { readonly text: string } | { readonly marker: string };

/** A text cut at every marker, the longest markers first over the whole text, as llama.cpp does it. */
function splitAt(text: string, markers: readonly string[]): readonly Part[] {
  let parts: Part[] = text === "" ? [] : [{ text }];
  for (const marker of markers) {
    if (!text.includes(marker)) continue;
    parts = parts.flatMap((part): Part[] => {
      if (!("text" in part)) return [part];
      return part.text
        .split(marker)
        .flatMap((piece, i): Part[] => [...(i > 0 ? [{ marker }] : []), ...(piece === "" ? [] : [{ text: piece }])]);
    });
  }
  return parts;
}

function createPieceEncoder(model: BpeModel, ids: ReadonlyMap<string, number>): (piece: string) => readonly number[] {
  const ranks = new Map<string, number>();
  for (const [rank, merge] of model.merges.entries()) if (!ranks.has(merge)) ranks.set(merge, rank);
  const whole = takesWholePieces(model.preTokeniser);
  const cache = new Map<string, readonly number[]>();
  return (piece) => {
    const known = cache.get(piece);
    if (known) return known;
    const spelled = toByteLevel(piece);
    const wholeId = whole ? ids.get(spelled) : undefined;
    const encoded = wholeId !== undefined ? [wholeId] : merged(spelled, ranks).flatMap((symbol) => idsOf(symbol, ids));
    if (cache.size >= CACHED_PIECES) cache.clear();
    cache.set(piece, encoded);
    return encoded;
  };
}

/** A merged symbol's id; one that the vocabulary lacks falls apart into its bytes, and a byte that it lacks is left out, as llama.cpp does. */
function idsOf(symbol: string, ids: ReadonlyMap<string, number>): number[] {
  const id = ids.get(symbol);
  if (id !== undefined) return [id];
  return symbol.length > 1 ? symbol.split("").flatMap((byte) => idsOf(byte, ids)) : [];
}

interface Candidate {
  readonly rank: number;
  readonly left: number;
  readonly right: number;
  readonly text: string;
}

/** The symbols of a spelled piece after all merges: always the pair of the lowest rank, the leftmost among equals. */
function merged(spelled: string, ranks: ReadonlyMap<string, number>): string[] {
  const symbols: (string | undefined)[] = spelled.split("");
  const next = symbols.map((_, i) => i + 1);
  const previous = symbols.map((_, i) => i - 1);
  const heap = createHeap<Candidate>((a, b) => a.rank < b.rank || (a.rank === b.rank && a.left < b.left));
  const propose = (left: number, right: number): void => {
    if (left < 0 || right >= symbols.length) return;
    const rank = ranks.get(`${symbols[left]} ${symbols[right]}`);
    if (rank !== undefined) heap.push({ rank, left, right, text: `${symbols[left]}${symbols[right]}` });
  };
  for (let i = 0; i + 1 < symbols.length; i++) propose(i, i + 1);
  for (let pair = heap.pop(); pair; pair = heap.pop()) {
    const { left, right, text } = pair;
    // Either side may have been merged with another neighbour since the pair was proposed.
    if (next[left] !== right || symbols[left] === undefined || `${symbols[left]}${symbols[right]}` !== text) continue;
    symbols[left] = text;
    symbols[right] = undefined;
    next[left] = next[right]!;
    if (next[right]! < symbols.length) previous[next[right]!] = left;
    propose(previous[left]!, left);
    propose(left, next[left]!);
  }
  return symbols.filter((symbol) => symbol !== undefined);
}
