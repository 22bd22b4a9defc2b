// Which texts hold which term, and how often. Adding or removing a text costs that text; knows nothing of scores or words.

/** Pairs of slot and count, by slot: `entries[2 * i]` and `entries[2 * i + 1]` for i below `length`. */
export interface Postings {
  readonly entries: Int32Array;
  readonly length: number;
}

/** What a scorer needs to know of texts given as terms. A text is known by its slot. */
export interface TermIndex {
  /** Texts in the index. */
  readonly size: number;
  /** One more than the largest slot ever used at once. */
  readonly slots: number;
  /** Terms of all texts together, with repetition. */
  readonly totalLength: number;
  /** Changes with every text added or removed. */
  readonly version: number;
  /** Terms of one text, with repetition. */
  lengthOf(slot: number): number;
  postings(term: string): Postings;
  /** Every term that some text has held, with its postings (none, when those texts are gone). */
  terms(): Iterable<readonly [string, Postings]>;
}

/** An index as plain data: `texts` holds, for each text in order of slots, how many terms it has and then their numbers and counts. */
export interface IndexData {
  readonly terms: readonly string[];
  readonly texts: Int32Array;
}

interface GrowingPostings {
  entries: Int32Array;
  length: number;
}

interface Text {
  /** Pairs of term number and count. */
  readonly counts: Int32Array;
  readonly length: number;
}

const NONE: Postings = { entries: new Int32Array(0), length: 0 };

/** An inverted index over texts given as terms. A text is known by its slot, a small number that is used again once the text is removed. */
export class InvertedIndex implements TermIndex {
  readonly #numbers = new Map<string, number>();
  readonly #postings: GrowingPostings[] = [];
  readonly #texts: (Text | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  #size = 0;
  #totalLength = 0;
  #version = 0;

  get size(): number {
    return this.#size;
  }

  get slots(): number {
    return this.#texts.length;
  }

  get totalLength(): number {
    return this.#totalLength;
  }

  get version(): number {
    return this.#version;
  }

  /** 0 for a free slot. */
  lengthOf(slot: number): number {
    return this.#texts[slot]?.length ?? 0;
  }

  has(slot: number): boolean {
    return this.#texts[slot] !== undefined;
  }

  postings(term: string): Postings {
    const number = this.#numbers.get(term);
    return number === undefined ? NONE : this.#postings[number]!;
  }

  *terms(): Iterable<readonly [string, Postings]> {
    for (const [term, number] of this.#numbers) yield [term, this.#postings[number]!];
  }

  /** Puts a text in and returns its slot. */
  add(terms: readonly string[]): number {
    const counted = new Map<number, number>();
    for (const term of terms) {
      const number = this.#numberOf(term);
      counted.set(number, (counted.get(number) ?? 0) + 1);
    }
    const counts = new Int32Array(2 * counted.size);
    let at = 0;
    for (const [number, count] of counted) {
      counts[at++] = number;
      counts[at++] = count;
    }
    return this.#put(counts);
  }

  remove(slot: number): void {
    const text = this.#texts[slot];
    if (text === undefined) throw new Error(`No text in slot ${slot}.`);
    for (let at = 0; at < text.counts.length; at += 2) erase(this.#postings[text.counts[at]!]!, slot);
    this.#texts[slot] = undefined;
    this.#freeSlots.push(slot);
    this.#changed(-1, -text.length);
  }

  /** Texts in order of slots, without gaps: slot i of the index that {@link load} makes is the i-th text here. */
  data(): IndexData {
    const texts = this.#texts.filter((text) => text !== undefined);
    const numbers = new Int32Array(texts.reduce((sum, { counts }) => sum + 1 + counts.length, 0));
    let at = 0;
    for (const { counts } of texts) {
      numbers[at] = counts.length / 2;
      numbers.set(counts, at + 1);
      at += 1 + counts.length;
    }
    return { terms: [...this.#numbers.keys()], texts: numbers };
  }

  static load({ terms, texts }: IndexData): InvertedIndex {
    const index = new InvertedIndex();
    for (const term of terms) index.#numberOf(term);
    for (let at = 0; at < texts.length;) {
      const end = at + 1 + 2 * texts[at]!;
      index.#put(texts.subarray(at + 1, end));
      at = end;
    }
    return index;
  }

  #put(counts: Int32Array): number {
    const slot = this.#freeSlots.pop() ?? this.#texts.length;
    let length = 0;
    for (let at = 0; at < counts.length; at += 2) {
      insert(this.#postings[counts[at]!]!, slot, counts[at + 1]!);
      length += counts[at + 1]!;
    }
    this.#texts[slot] = { counts, length };
    this.#changed(1, length);
    return slot;
  }

  #numberOf(term: string): number {
    const known = this.#numbers.get(term);
    if (known !== undefined) return known;
    const number = this.#postings.length;
    this.#numbers.set(term, number);
    this.#postings.push({ entries: new Int32Array(2), length: 0 });
    return number;
  }

  #changed(texts: number, length: number): void {
    this.#size += texts;
    this.#totalLength += length;
    this.#version++;
  }
}

function insert(postings: GrowingPostings, slot: number, count: number): void {
  const { length } = postings;
  if (2 * length === postings.entries.length) {
    const grown = new Int32Array(4 * length);
    grown.set(postings.entries);
    postings.entries = grown;
  }
  const { entries } = postings;
  const position = length === 0 || entries[2 * length - 2]! < slot ? length : find(postings, slot);
  entries.copyWithin(2 * position + 2, 2 * position, 2 * length);
  entries[2 * position] = slot;
  entries[2 * position + 1] = count;
  postings.length++;
}

function erase(postings: GrowingPostings, slot: number): void {
  const position = find(postings, slot);
  postings.entries.copyWithin(2 * position, 2 * position + 2, 2 * postings.length);
  postings.length--;
}

/** Position of the first entry whose slot is at least `slot`. */
function find({ entries, length }: Postings, slot: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[2 * middle]! < slot) low = middle + 1;
    else high = middle;
  }
  return low;
}
