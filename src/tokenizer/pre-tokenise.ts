// How a text is cut into pieces before byte-pair merging, by the name that GGUF files give the rule. Knows no vocabulary.

interface PreTokeniser {
  /** Applied one after the other, each to the pieces of the one before; what lies between two matches is a piece as well. */
  readonly patterns: readonly RegExp[];
  /** A piece that stands whole in the vocabulary is taken whole, whatever the merges say. */
  readonly wholePieces: boolean;
}

// White_Space and not \s: JavaScript's \s takes U+FEFF and leaves U+0085 out.
const SPACE = String.raw`\p{White_Space}`;
const OTHER = String.raw`[^\p{White_Space}\p{L}\p{N}]`;

const gpt2 = new RegExp(String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?${OTHER}+|${SPACE}+(?!\P{White_Space})|${SPACE}+`, "gu");
const digit = /\p{N}/gu;
const contraction = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const withDigits = (digits: string): RegExp =>
  new RegExp(
    String.raw`${contraction}|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?${OTHER}+[\r\n]*|${SPACE}*[\r\n]+|${SPACE}+(?!\P{White_Space})|${SPACE}+`,
    "gu",
  );

/** The rules of llama.cpp's `llm_tokenizer_bpe` for the model families in use, by `tokenizer.ggml.pre`. */
const preTokenisers = {
  "gpt-2": { patterns: [gpt2], wholePieces: false },
  smollm: { patterns: [digit, gpt2], wholePieces: false },
  "llama-bpe": { patterns: [withDigits(String.raw`\p{N}{1,3}`)], wholePieces: true },
  qwen2: { patterns: [withDigits(String.raw`\p{N}`)], wholePieces: false },
} as const satisfies { readonly [name: string]: PreTokeniser };

export type PreTokeniserName = keyof typeof preTokenisers;

export const preTokeniserNames = Object.keys(preTokenisers) as readonly PreTokeniserName[];

export function isPreTokeniser(name: string): name is PreTokeniserName {
  return Object.hasOwn(preTokenisers, name);
}

/** The pieces of a text, in order; joined, they are the text. */
export function preTokenise(text: string, name: PreTokeniserName): string[] {
  return preTokenisers[name].patterns.reduce<string[]>((pieces, pattern) => pieces.flatMap((piece) => cut(piece, pattern)), [text]);
}

/** Whether a piece that stands whole in the vocabulary is one token under this rule. */
export function takesWholePieces(name: PreTokeniserName): boolean {
  return preTokenisers[name].wholePieces;
}

function cut(text: string, pattern: RegExp): string[] {
  const pieces: string[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) pieces.push(text.slice(end, match.index));
    pieces.push(match[0]);
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}
