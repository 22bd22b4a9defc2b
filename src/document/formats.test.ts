// Every format, from files that the tests make: what is read of them, and on which page it stands.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { docxOf, epubOf, odtOf, paragraph, pdfOf, pptxOf, tarGzOf, xlsxOf, zipOf } from "../../test/support/packed-files.ts";
import type { Document } from "../task.ts";
import { readDocuments } from "./read-all.ts";

let folder: string;
let documents: ReadonlyMap<string, Document>;
let notices: readonly string[];

const cell = (text: string, properties = ""): string => `<w:tc><w:tcPr>${properties}</w:tcPr>${paragraph(text)}</w:tc>`;
const listed = (text: string, depth: number): string =>
  paragraph(text, `<w:numPr><w:ilvl w:val="${depth}"/><w:numId w:val="1"/></w:numPr>`);
const numbering = `<w:numbering xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:abstractNum w:abstractNumId="0">
  <w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
  <w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>`;

const files: { readonly [name: string]: string | Uint8Array } = {
  "manual.pdf": pdfOf([
    ["Maintenance of the ferry", "The pump is checked every spring."],
    ["The anchor weighs (exactly) forty kilograms."],
  ]),
  "half.pdf": pdfOf([["The first page has text, the second is a picture."], []]),
  "report.docx": docxOf(
    [
      paragraph("Report", '<w:pStyle w:val="H1"/>'),
      paragraph("Before the break."),
      "<w:p><w:r><w:lastRenderedPageBreak/><w:t>After the break, </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>bold</w:t></w:r></w:p>",
      listed("three", 0),
      listed("inner", 1),
      listed("four", 0),
      `<w:tbl><w:tr>${cell("a", '<w:gridSpan w:val="2"/>')}</w:tr><w:tr>${cell("b", '<w:vMerge w:val="restart"/>')}${cell("c")}</w:tr><w:tr>${cell("", "<w:vMerge/>")}${cell("d | e")}</w:tr></w:tbl>`,
      "<w:p><m:oMath><m:f><m:num><m:r><m:t>π</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath></w:p>",
      "<w:p><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins></w:p>",
    ].join(""),
    { "word/numbering.xml": numbering },
  ),
  "slides.pptx": pptxOf([
    { title: "Winter", paragraphs: ["Drain the tank", "Cover the deck"] },
    { title: "Summer", paragraphs: ["One thing"] },
  ]),
  "book.xlsx": xlsxOf(
    {
      Prices:
        '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>Price</t></is></c></row><row r="2"><c r="A2" s="1"><v>45292</v></c><c r="B2"><v>0.30000000000000004</v></c></row><row r="4"><c r="D4" t="b"><v>1</v></c></row></sheetData>',
      Empty: "<sheetData/>",
      Merged:
        '<sheetData><row r="1"><c r="A1" t="s"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row></sheetData><mergeCells><mergeCell ref="A1:XFD1"/></mergeCells>',
    },
    ["Day", "Both"],
  ),
  "novel.epub": epubOf("The Ferry", ["<h1>One</h1><p>It rained.</p>", "<h1>Two</h1><p>It stopped.</p>"]),
  "letter.odt": odtOf(
    '<text:h text:outline-level="2">Dear</text:h><text:p>all<text:s text:c="2"/>of you</text:p><text:list><text:list-item><text:p>x</text:p><text:list><text:list-item><text:p>y</text:p></text:list-item></text:list></text:list-item></text:list>',
  ),
  "data.csv": 'name;note\nA;"one; two"\nB;three;four\n',
  "rfc.txt": "First page\n\fSecond page\n",
  "mail.eml": [
    "From: Alice <alice@example.com>",
    "To: bob@example.com",
    "Subject: =?utf-8?q?Caf=C3=A9?=",
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain; charset=iso-8859-1",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    "Gr=FC=DFe",
    "--b",
    'Content-Type: text/csv; name="list.csv"',
    'Content-Disposition: attachment; filename="list.csv"',
    "",
    "a,b",
    "1,2",
    "--b--",
  ].join("\r\n"),
  "all.zip": zipOf({
    "docs/a.md": "# A\n\ntext",
    "docs/.hidden.md": "no",
    "docs/b.png": "x",
    "docs/c.png": "x",
    "more.tar.gz": tarGzOf({ "t/d.txt": "deep" }),
  }),
  "old.tgz": tarGzOf({ "./x.md": "# X\n\nin a tape archive" }),
  "no-name": pdfOf([["A file without an extension is known by its first bytes."]]),
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-formats-"));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const read = await readDocuments({ sources: ["."], folder });
  documents = new Map(read.documents.map((document) => [document.id, document]));
  notices = read.notices;
}, 60_000);
afterAll(async () => rm(folder, { recursive: true, force: true }));

const pageTexts = (id: string): readonly (readonly [number, string])[] =>
  documents.get(id)!.pages!.map(({ page, start, end }) => [page, documents.get(id)!.text.slice(start, end)] as const);

test("a PDF is its pages", () => {
  expect(documents.get("manual.pdf")?.title).toMatch(/manual/);
  expect(pageTexts("manual.pdf").map(([page]) => page)).toEqual([1, 2]);
  expect(pageTexts("manual.pdf")[0]![1]).toContain("The pump is checked every spring.");
  expect(pageTexts("manual.pdf")[1]![1]).toContain("The anchor weighs (exactly) forty kilograms.");
});

test("a page that is a scan is told, the others are read", () => {
  expect(pageTexts("half.pdf")).toEqual([[1, expect.stringContaining("The first page has text") as string]]);
  expect(notices).toContain(
    "documents: half.pdf page 2 holds no text that can be read: a scan, or broken fonts. Run text recognition (OCR) over them.",
  );
});

test("a Word document keeps headings, lists, tables, formulas and pages; what was deleted stays out", () => {
  const report = documents.get("report.docx")!;
  expect(report.title).toBe("Report");
  expect(report.text).toMatchInlineSnapshot(`
    "# Report

    Before the break.

    After the break, **bold**

    3. three
      - inner
    4. four

    | a |  |
    | --- | --- |
    | b | c |
    | b | d \\| e |

    $\\frac{ \\pi }{2}$

    inserted"
  `);
  expect(pageTexts("report.docx").map(([page, text]) => [page, text.trim().slice(0, 18)])).toEqual([
    [1, "# Report\n\nBefore t"],
    [2, "After the break, *"],
  ]);
});

test("a presentation is its slides, titles first", () => {
  expect(pageTexts("slides.pptx")).toEqual([
    [1, "# Winter\n\n- Drain the tank\n- Cover the deck"],
    [2, "# Summer\n\nOne thing"],
  ]);
});

test("a workbook is its sheets: dates, numbers as shown, tables apart, merged cells repeated within the sheet", () => {
  expect(pageTexts("book.xlsx")).toEqual([
    [1, "## Prices\n\n| Day | Price |\n| --- | --- |\n| 2024-01-01 | 0.3 |\n\nTRUE"],
    [3, "## Merged\n\n| Both | Both |\n| --- | --- |\n| 1 | 2 |"],
  ]);
});

describe("other formats", () => {
  test.each([
    ["novel.epub", "The Ferry", "# One\n\nIt rained.\n\n# Two\n\nIt stopped."],
    ["letter.odt", "letter", "## Dear\n\nall of you\n\n- x\n  - y"],
    ["data.csv", "data", "| name | note |  |\n| --- | --- | --- |\n| A | one; two |  |\n| B | three | four |"],
    ["mail.eml", "Café", "From: Alice <alice@example.com>\nTo: bob@example.com\nSubject: Café\n\nGrüße\n\nAttached: list.csv"],
    ["mail.eml/list.csv", "list", "| a | b |\n| --- | --- |\n| 1 | 2 |"],
    ["all.zip/docs/a.md", "A", "# A\n\ntext"],
    ["all.zip/more.tar.gz/t/d.txt", "d", "deep"],
    ["old.tgz/x.md", "X", "# X\n\nin a tape archive"],
  ])("%s", (id, title, text) => {
    const { sha256: _, pages: __, modified: ___, ...document } = documents.get(id)!;
    expect(document).toEqual({ id, title, text });
  });

  test("form feeds in a text are page breaks", () => {
    expect(pageTexts("rfc.txt")).toEqual([
      [1, "First page\n"],
      [2, "Second page\n"],
    ]);
  });

  test("a file is known by its first bytes where its name does not say", () => {
    expect(documents.get("no-name")?.text).toContain("known by its first bytes");
  });

  test("files of other formats in an archive are told once, hidden ones not", () => {
    expect(notices.filter((notice) => notice.includes("all.zip"))).toEqual([
      "documents: all.zip/docs/b.png and 1 more in it left out: of a format that is not read.",
    ]);
  });
});
