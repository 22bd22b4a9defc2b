// Files that are broken, encrypted or made to do harm: each costs one line, within limits of time and memory, and the rest is read.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { docxOf, odtOf, paragraph, pdfOf, tarGzOf, xlsxOf, zipOf } from "../../test/support/packed-files.ts";
import type { Limits } from "./limits.ts";
import { readDocuments } from "./read-all.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-hostile-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

/** What is said of a file that lies beside a good one, which is read in every case. */
async function said(name: string, content: string | Uint8Array, limits: Partial<Limits> = {}): Promise<readonly string[]> {
  await writeFile(join(folder, name), content);
  await writeFile(join(folder, "good.docx"), docxOf(paragraph("The good one.")));
  await writeFile(join(folder, "zz.md"), "The last one.");
  const { documents, notices } = await readDocuments({ sources: ["."], folder, limits });
  expect(documents.map(({ text }) => text)).toEqual(expect.arrayContaining(["The good one.", "The last one."]));
  return notices.map((notice) => notice.replace(`documents: ${name}`, "it").replace(/^it left out: it/, "it"));
}

const laughs = `<?xml version="1.0"?><!DOCTYPE w:document [<!ENTITY l0 "ha">${Array.from({ length: 30 }, (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`).join("")}]>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&l30;</w:t></w:r></w:p></w:body></w:document>`;
const deep = (depth: number): string =>
  `${"<w:sdt><w:sdtContent>".repeat(depth)}${paragraph("x")}${"</w:sdtContent></w:sdt>".repeat(depth)}`;
const zeros = (bytes: number): Buffer => Buffer.alloc(bytes);
const compound = (stream: string): Buffer =>
  Buffer.concat([Buffer.from("d0cf11e0a1b11ae1", "hex"), Buffer.alloc(504), Buffer.from(stream, "utf16le"), Buffer.alloc(512)]);

const small: Partial<Limits> = { unpackedBytes: 2 ** 20 };

test.each<[string, string, string | Uint8Array, Partial<Limits>, string]>([
  [
    "a scan",
    "scan.pdf",
    pdfOf([[], [], []]),
    {},
    "it holds 3 pages of pictures and no text: it is a scan. Run text recognition (OCR) over it.",
  ],
  ["an encrypted PDF", "a.pdf", pdfOf([["secret"]], { encrypted: true }), {}, "it is encrypted. Save it without a password."],
  ["a PDF cut short", "a.pdf", pdfOf([["text"]]).subarray(0, 200), {}, "it is a broken PDF. Print or export it again."],
  ["bytes that call themselves PDF", "a.pdf", Buffer.from("%PDF-1.7\n".repeat(40)), {}, "it is a broken PDF. Print or export it again."],
  ["an encrypted Word document", "a.docx", compound("EncryptedPackage"), {}, "it is encrypted. Save it without a password."],
  [
    "a document from before 2007",
    "a.docx",
    compound("WordDocument"),
    {},
    "it is of an Office format from before 2007, or an Outlook message. Save it as DOCX, PPTX, XLSX or EML.",
  ],
  ["a Word document cut short", "a.docx", docxOf(paragraph("x")).subarray(0, 300), {}, "it is a broken ZIP file. Copy or save it again."],
  [
    "a ZIP that is no Word document",
    "a.docx",
    zipOf({ "a.txt": "x" }),
    {},
    "it holds no Office document. Open it with the program that made it, and save it again.",
  ],
  ["text that calls itself a workbook", "a.xlsx", "name,price\n", {}, "it is a broken ZIP file. Copy or save it again."],
  [
    "a billion laughs",
    "a.docx",
    docxOf("", { "word/document.xml": laughs }),
    {},
    "it declares entities of its own, which no document of its kind needs. Do not trust it.",
  ],
  [
    "elements nested without end",
    "a.docx",
    docxOf(deep(100_000)),
    {},
    "it nests its elements more than 1000 deep. Save it again with the program that made it.",
  ],
  [
    "a zip bomb that calls itself a Word document",
    "a.docx",
    docxOf(paragraph(" ".repeat(2 ** 22))),
    small,
    "it unpacks to more than 1 MB. Split it, if it is no zip bomb.",
  ],
  ["a gzip bomb", "a.tgz", gzipSync(zeros(2 ** 22)), small, "it unpacks to more than 1 MB. Split it, if it is no zip bomb."],
  [
    "an encrypted book",
    "a.odt",
    zipOf({
      "META-INF/manifest.xml":
        '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>',
    }),
    {},
    "it is encrypted. Save it without a password.",
  ],
  [
    "a file larger than may be",
    "a.txt",
    "x".repeat(2000),
    { fileBytes: 1000 + 500 },
    "it is 1.95 kB large, more than the 1.46 kB that are read. Split it.",
  ],
  [
    "more files than may be",
    "a.zip",
    zipOf({ "1.md": "1", "2.md": "2", "3.md": "3", "4.md": "4", "5.md": "5", "6.md": "6" }),
    { entries: 5 },
    "it holds 6 files, more than the 5 that are read. Unpack it and name its folders.",
  ],
])(
  "%s",
  async (_name, file, content, limits, line) => {
    expect(await said(file, content, limits)).toEqual([line]);
  },
  30_000,
);

test("an archive with one encrypted and one broken file gives the others", async () => {
  const archive = zipOf({ "a.docx": docxOf(paragraph("In the archive.")), "b.docx": "no ZIP", "c.md": "", "d.md": "text" });
  expect(await said("all.zip", archive)).toEqual([
    "it/b.docx left out: it is a broken ZIP file. Copy or save it again.",
    "it/c.md left out: it is an empty document. Write something into it, or remove it.",
  ]);
  expect(await said("all.zip", zipOf({ "a.md": "x" }, { encrypted: true }))).toEqual([
    "it/a.md left out: it is encrypted. Save it without a password.",
  ]);
}, 30_000);

test("archives in archives are opened so deep and no deeper", async () => {
  let nested = zipOf({ "end.md": "the end" });
  for (let depth = 0; depth < 5; depth++) nested = zipOf({ "next.zip": nested });
  expect(await said("deep.zip", nested)).toEqual([
    "it/next.zip/next.zip/next.zip/next.zip left out: it lies in more than 3 archives, one in another. Unpack it, if it is no bomb.",
  ]);
}, 30_000);

test("many small bombs in one archive share one limit", async () => {
  const files = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`${index}.txt`, "a b c ".repeat(40_000)]));
  const lines = await said("many.zip", zipOf(files), small);
  expect(lines.filter((line) => line.includes("unpacks to more than 1 MB"))).toHaveLength(4);
}, 30_000);

test("a file that takes too long is ended, and its archive goes on behind it", async () => {
  // A table whose merged areas would take years to fill.
  const merges = Array.from({ length: 20_000 }, () => '<mergeCell ref="A1:B900000"/>').join("");
  const rows = Array.from({ length: 900 }, (_, index) => `<row r="${index + 1}"><c><v>1</v></c><c><v>2</v></c></row>`).join("");
  const slow = xlsxOf({ S: `<sheetData>${rows}</sheetData><mergeCells>${merges}</mergeCells>` });
  expect(await said("slow.xlsx", slow, { seconds: 3 })).toEqual(["it takes more than 3 seconds to read. Split it, or leave it out."]);
  const lines = await said("slow.zip", zipOf({ "a.md": "before", "b.xlsx": slow, "c.md": "after" }), { seconds: 3 });
  expect(lines).toContain("it/b.xlsx left out: it takes more than 3 seconds to read. Split it, or leave it out.");
  const { documents } = await readDocuments({ sources: ["slow.zip"], folder, limits: { seconds: 3 } });
  expect(documents.map(({ text }) => text)).toEqual(["before", "after"]);
}, 60_000);

test("a file that takes too much memory is ended", async () => {
  const cells = Array.from({ length: 60 }, () => `<w:p>${"<w:r><w:t>x</w:t></w:r>".repeat(20_000)}</w:p>`).join("");
  expect(await said("large.docx", docxOf(cells), { memoryBytes: 250 * 2 ** 20 })).toEqual([
    "it takes more than 250 MB of memory to read. Split it, or leave it out.",
  ]);
}, 60_000);

test("a PDF of 500 pages is read whole", async () => {
  const pages = Array.from({ length: 500 }, (_, index) => [`Page number ${index + 1} speaks of pump ${index + 1}.`]);
  await writeFile(join(folder, "long.pdf"), pdfOf(pages));
  const { documents } = await readDocuments({ sources: ["long.pdf"], folder });
  const [document] = documents;
  expect(document!.pages).toHaveLength(500);
  const last = document!.pages![499]!;
  expect(document!.text.slice(last.start, last.end)).toContain("speaks of pump 500.");
}, 60_000);

test("a file without text that is named itself is an error of one line", async () => {
  await writeFile(join(folder, "scan.pdf"), pdfOf([[]]));
  await expect(readDocuments({ sources: ["scan.pdf"], folder })).rejects.toThrow(
    "scan.pdf holds one page of pictures and no text: it is a scan. Run text recognition (OCR) over it.",
  );
}, 30_000);

test("an archive of nothing and a text of nothing are told apart from documents", async () => {
  expect(await said("empty.tgz", tarGzOf({}))).toEqual([]);
  expect(await said("empty.odt", odtOf(""))).toEqual(["it is an empty document. Write something into it, or remove it."]);
}, 30_000);
