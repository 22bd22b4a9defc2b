import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wordVectors } from "../../test/support/word-vectors.ts";
import { chunkDocument, chunker, chunkMethods } from "./chunk.ts";
import { countWords, indexText } from "./chunk-source.ts";

const handbook = `# Handbook

Welcome to the handbook. It is short.

## Leave

You have 28 days of leave. Ask your manager two weeks before. Leave not taken by March is lost.

### Sick leave

Call before nine. Bring a note after three days.

## Expenses

| what | limit |
| --- | --- |
| hotel | 120 |
| dinner | 30 |
| taxi | 25 |

- keep the receipt
- send it in a week
`;

const embedding = wordVectors();
const document = { id: "handbook.md", title: "Handbook", text: handbook, sha256: "" };
const slices = (words: number, overlap = 0, text = handbook): string[] =>
  chunkDocument({ text }, { words, overlap }).map(({ start, end }) => text.slice(start, end));

describe("chunkDocument", () => {
  test("a document that fits is one passage", () => {
    expect(chunkDocument(document, { words: 200, overlap: 20 })).toEqual([{ start: 0, end: handbook.trimEnd().length, context: [] }]);
  });

  test("cuts at the strongest headings first, and headings stay with their text", () => {
    expect(slices(45).map((slice) => slice.split("\n")[0])).toEqual(["# Handbook", "## Expenses"]);
    expect(slices(30).map((slice) => slice.split("\n")[0])).toEqual([
      "# Handbook",
      "## Leave",
      "### Sick leave",
      "## Expenses",
      "- keep the receipt",
    ]);
  });

  test("a passage knows the headings above it and the header of the table it continues", () => {
    const chunks = chunkDocument(document, { words: 16, overlap: 0 });
    const at = (piece: string): readonly string[] | undefined =>
      chunks.find(({ start, end }) => handbook.slice(start, end).includes(piece))?.context;
    expect(at("Call before nine")).toEqual(["Handbook", "Leave"]);
    expect(at("taxi")).toEqual(["Handbook", "Expenses", "what | limit"]);
  });

  test("the index text adds title, headings and table header once each", () => {
    const chunks = chunkDocument(document, { words: 16, overlap: 0 });
    const taxi = chunks.find(({ start, end }) => handbook.slice(start, end).includes("taxi"))!;
    expect(indexText(document, taxi)).toBe(`Handbook\nExpenses\nwhat | limit\n${handbook.slice(taxi.start, taxi.end)}`);
    expect(indexText(document, chunks[0]!)).toBe(handbook.slice(chunks[0]!.start, chunks[0]!.end));
  });

  test("long prose is cut between sentences into parts of like size, and the overlap begins at a sentence", () => {
    const text = Array.from({ length: 9 }, (_, index) => `Sentence number ${index} has\nexactly seven words.`).join(" ");
    expect(slices(28, 0, text).map(countWords)).toEqual([21, 21, 21]);
    const overlapping = chunkDocument({ text }, { words: 28, overlap: 10 });
    expect(overlapping.map(({ start, end }) => text.slice(start, end).match(/number \d/g))).toEqual([
      ["number 0", "number 1"],
      ["number 1", "number 2", "number 3"],
      ["number 3", "number 4", "number 5"],
      ["number 5", "number 6", "number 7"],
      ["number 7", "number 8"],
    ]);
  });

  test("a sentence that is too long is cut between words, and Chinese between characters", () => {
    expect(slices(3, 0, "one two three four five six seven").map(countWords)).toEqual([3, 3, 1]);
    expect(slices(5, 0, "春眠不觉晓处处闻啼鸟")).toEqual(["春眠不觉晓", "处处闻啼鸟"]);
  });

  test("code is cut between lines and a # in it is no heading", () => {
    const text = "# Setup\n\n```sh\n# install it first\nnpm ci\nnpm test\n```\n";
    expect(chunkDocument({ text }, { words: 7, overlap: 0 }).map(({ start, end, context }) => [text.slice(start, end), context])).toEqual([
      ["# Setup\n\n```sh\n# install it first", []],
      ["npm ci\nnpm test\n```", ["Setup"]],
    ]);
  });

  test("nothing but space gives no passage", () => {
    expect(chunkDocument({ text: " \n\n" }, { words: 5, overlap: 1 })).toEqual([]);
  });

  test("impossible sizes name the value and the way out", () => {
    expect(() => chunkDocument(document, { words: 0, overlap: 0 })).toThrow("chunk.words is 0. Set it to 1 or more");
    expect(() => chunkDocument(document, { words: 10, overlap: 10 })).toThrow("chunk.overlap is 10, chunk.words 10.");
  });
});

describe("windows", () => {
  const text = "One two three. Four five. Six seven eight nine. Ten.";
  const cut = (method: "sentences" | "fixed", words: number, overlap: number): string[] =>
    chunkDocument({ text }, { method, words, overlap }).map(({ start, end }) => text.slice(start, end));

  test("of sentences hold whole ones, and repeat those that the overlap has room for", () => {
    expect(cut("sentences", 6, 0)).toEqual(["One two three. Four five.", "Six seven eight nine. Ten."]);
    expect(cut("sentences", 6, 2)).toEqual(["One two three. Four five.", "Four five. Six seven eight nine.", "Ten."]);
    expect(cut("sentences", 3, 0)).toEqual(["One two three.", "Four five.", "Six seven", "eight nine. Ten."]);
  });

  test("of a fixed size begin a step apart", () => {
    expect(cut("fixed", 4, 1)).toEqual(["One two three. Four", "Four five. Six seven", "seven eight nine. Ten."]);
  });
});

describe("semantic cuts", () => {
  const about = (subject: string): string => Array.from({ length: 6 }, (_, at) => `The ${subject} ${subject} ${subject} x${at}.`).join(" ");

  test("lie where the subject changes", async () => {
    const text = `${about("bike")} ${about("harbour")}`;
    const chunks = await chunker({ method: "semantic", words: 60, overlap: 0 }, embedding)({ text });
    expect(chunks.map(({ start, end }) => text.slice(start, end))).toEqual([about("bike"), about("harbour")]);
  });

  test("need an embedding model", () => {
    expect(() => chunker({ method: "semantic", words: 60, overlap: 0 }, undefined)).toThrow("needs an embedding model");
  });
});

const line = fc.oneof(
  fc.constantFrom(
    "",
    "",
    "# One",
    "## Two two",
    "### Three",
    "Setext",
    "=====",
    "---",
    "| a | b |",
    "|---|---|",
    "| 1 | 2 |",
    "```",
    "- item here",
    "  going on",
    "1. first",
    "   ",
  ),
  fc.lorem({ maxCount: 30, mode: "words" }),
  fc.lorem({ maxCount: 3, mode: "sentences" }),
  fc.string({ unit: "binary", maxLength: 20 }),
);
const markdown = fc.tuple(fc.array(line, { maxLength: 40 }), fc.constantFrom("\n", "\r\n")).map(([lines, end]) => lines.join(end));
const sizes = fc
  .integer({ min: 1, max: 40 })
  .chain((words) => fc.record({ words: fc.constant(words), overlap: fc.integer({ min: 0, max: words - 1 }) }));

describe.each(chunkMethods)("%s, for any text and any sizes", (method) => {
  test("passages are in order, no longer than allowed, and hold every word", async () => {
    await fc.assert(
      fc.asyncProperty(markdown, sizes, async (text, options) => {
        const chunks = await chunker({ method, ...options }, embedding)({ text });
        const covered = new Uint8Array(text.length);
        let last = -1;
        for (const { start, end } of chunks) {
          const slice = text.slice(start, end);
          expect(start).toBeGreaterThan(last);
          expect(slice).toBe(slice.trim());
          expect(countWords(slice)).toBeGreaterThan(0);
          expect(countWords(slice)).toBeLessThanOrEqual(options.words);
          covered.fill(1, start, end);
          last = start;
        }
        expect([...text.matchAll(/\S/g)].every(({ index }) => covered[index] === 1)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("without overlap no character stands in two passages", async () => {
    await fc.assert(
      fc.asyncProperty(markdown, fc.integer({ min: 1, max: 40 }), async (text, words) => {
        const chunks = await chunker({ method, words, overlap: 0 }, embedding)({ text });
        expect(chunks.every(({ start }, index) => index === 0 || start >= chunks[index - 1]!.end)).toBe(true);
      }),
    );
  });
});
