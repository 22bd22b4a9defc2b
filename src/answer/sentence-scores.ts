// How well each sentence of the passages answers a question, without a language model: what is quoted and what is kept of passages.
import type { Passage } from "../evaluation.ts";
import { rarity } from "../metric/support.ts";
import { innerProduct } from "../retriever/similarity.ts";
import { sentences } from "../util/sentences.ts";
import { contentTerms } from "../util/terms.ts";

export interface ScoredSentence {
  /** As it stands in its passage. */
  readonly text: string;
  /** Of the passage it is from, from 0. */
  readonly passage: number;
  /** Where it begins in the passage's text. */
  readonly start: number;
  /** In [0, 1]. */
  readonly score: number;
}

export interface ScoreSentencesOptions {
  readonly question: string;
  /** Best first. */
  readonly passages: readonly Passage[];
  /** Unit vectors of texts: the mean of their cosine and the share of words counts. */
  readonly embed?: ((text: string, signal?: AbortSignal) => Promise<Float32Array>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a sentence of the passage found first counts more than one found last, at equal words. */
const RANK = 0.3;
/** What a word in the title or the heading above a sentence counts beside one in it. */
const ABOVE = 0.5;

/**
 * The share of the question's content words that a sentence holds, rarer ones counting more, those of passages found first before
 * others. Headings, questions and what holds fewer than two content words answer nothing and are left out.
 */
export async function scoreSentences({ question, passages, embed, signal }: ScoreSentencesOptions): Promise<ScoredSentence[]> {
  const found = passages.flatMap((passage, index) => readPassage(passage).map((sentence) => ({ ...sentence, passage: index })));
  const weight = rarity(found.map(({ text }) => text));
  const asked = [...new Set(contentTerms(question))];
  const total = asked.reduce((sum, term) => sum + weight(term), 0);
  const vector = await embed?.(question, signal);
  const scored: ScoredSentence[] = [];
  for (const { own, above, ...sentence } of found) {
    const held = asked.reduce((sum, term) => sum + (own.has(term) ? 1 : above.has(term) ? ABOVE : 0) * weight(term), 0);
    const share = total === 0 ? 0 : held / total;
    const near = vector && embed ? Math.max(0, innerProduct(vector, await embed(sentence.text, signal))) : share;
    scored.push({ ...sentence, score: ((share + near) / 2 + RANK / (1 + sentence.passage)) / (1 + RANK) });
  }
  return scored;
}

interface ReadSentence extends Pick<ScoredSentence, "text" | "start"> {
  /** Its terms, and those it stands under. */
  readonly own: ReadonlySet<string>;
  readonly above: ReadonlySet<string>;
}

const known = new Map<string, readonly ReadSentence[]>();
const REMEMBERED = 2000;

/** The sentences of a passage; kept by content, as the same passages are found again and again. */
function readPassage({ title, text }: Passage): readonly ReadSentence[] {
  const key = `${title}\n${text}`;
  const read = known.get(key) ?? readSentences(title, text);
  if (known.size >= REMEMBERED) known.clear();
  known.set(key, read);
  return read;
}

function readSentences(title: string, text: string): ReadSentence[] {
  let above = new Set(contentTerms(title));
  return sentences(text).flatMap(({ text: sentence, start }) => {
    const own = new Set(contentTerms(sentence));
    if (/^#{1,6}\s/.test(sentence)) {
      above = new Set([...contentTerms(title), ...own]);
      return [];
    }
    return own.size < 2 || /\?["'”’)]?$/u.test(sentence) ? [] : [{ text: sentence, start, own, above }];
  });
}
