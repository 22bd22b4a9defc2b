// Laws of reading: whatever the bytes are, a file gives documents or reasons and never an exception; offsets of pages are exact.
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { docxOf, epubOf, odtOf, paragraph, pptxOf, tarGzOf, xlsxOf, zipOf } from "../../test/support/packed-files.ts";
import { joinPages, PAGE_BREAK, withPages } from "./converted.ts";
import { defaultLimits } from "./limits.ts";
import { type Piece, piecesOf } from "./pieces.ts";

const files: { readonly [name: string]: Uint8Array } = {
  "a.docx": docxOf(paragraph("One", '<w:pStyle w:val="H1"/>') + paragraph("Two")),
  "a.pptx": pptxOf([{ title: "One", paragraphs: ["two", "three"] }]),
  "a.xlsx": xlsxOf({ S: '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>' }, ["One"]),
  "a.odt": odtOf("<text:p>One</text:p>"),
  "a.epub": epubOf("Book", ["<p>One</p>"]),
  "a.zip": zipOf({ "a.md": "One", "b/c.txt": "Two" }),
  "a.tgz": tarGzOf({ "a.md": "One" }),
  "a.eml": Buffer.from("From: a@example.com\r\nSubject: One\r\n\r\nTwo\r\n"),
  "a.html": Buffer.from("<h1>One</h1><table><tr><td>Two<td>Three</table>"),
  "a.csv": Buffer.from('a,b\n"1",2\n'),
  "a.ttl": Buffer.from("<a> <b> <c> ."),
  "a.txt": Buffer.from("One\f\nTwo"),
};

async function read(name: string, bytes: Uint8Array): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for await (const piece of piecesOf({ file: { name, bytes }, limits: { ...defaultLimits, unpackedBytes: 2 ** 22 } })) pieces.push(piece);
  return pieces;
}

describe.each(Object.entries(files))("%s", (name, bytes) => {
  // Readers are loaded when first needed.
  beforeAll(async () => void (await read(name, bytes)));

  test("whole, it is documents and nothing is skipped", async () => {
    const kinds = (await read(name, bytes)).map(({ kind }) => kind);
    expect(kinds).toContain("document");
    expect(kinds).not.toContain("skipped");
  });

  test("with bytes changed, or cut anywhere, it gives documents or reasons of one line", async () => {
    const change = fc.record({ at: fc.nat(bytes.length - 1), byte: fc.nat(255) });
    const broken = fc.record({ changes: fc.array(change, { maxLength: 8 }), end: fc.integer({ min: 0, max: bytes.length }) });
    await fc.assert(
      fc.asyncProperty(broken, async ({ changes, end }) => {
        const copy = new Uint8Array(bytes);
        for (const { at, byte } of changes) copy[at] = byte;
        for (const piece of await read(name, copy.subarray(0, end)))
          if (piece.kind === "skipped") expect(piece.reason).toMatch(/^(is|holds|nests|declares|unpacks|lies) [^\n]+\.$/);
      }),
      { numRuns: 60 },
    );
  });
});

test("pages hold every character but the space between them, and no other's", () => {
  const page = fc.string({ unit: fc.constantFrom("a", "b", " ", "\n"), maxLength: 12 });
  fc.assert(
    fc.property(fc.array(page, { minLength: 1, maxLength: 6 }), (texts) => {
      const joined = joinPages(texts);
      const expected = texts.flatMap((text, index) => (text.trim() === "" ? [] : [[index + 1, text.trim()]]));
      expect(joined.pages.map(({ page: number, start, end }) => [number, joined.text.slice(start, end)])).toEqual(expected);
      const { text, pages = [] } = withPages(texts.join(PAGE_BREAK));
      expect(text).toBe(texts.join(""));
      if (texts.length > 1)
        expect(pages.map(({ page: number, start, end }) => [number, text.slice(start, end)])).toEqual(
          texts.flatMap((one, index) => (one.trim() === "" ? [] : [[index + 1, one]])),
        );
    }),
  );
});
