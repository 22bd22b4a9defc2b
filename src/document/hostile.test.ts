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

interface Told {
  /** The notices, without what they all begin with. */
  readonly lines: readonly string[];
  readonly texts: readonly string[];
}

/** What is said of files that lie beside good ones, which are read in every case. */
async function told(files: { readonly [name: string]: string | Uint8Array }, limits: Partial<Limits> = {}): Promise<Told> {
  const good = { "good.docx": docxOf(paragraph("The good one.")), "zz.md": "The last one." };
  for (const [name, content] of Object.entries({ ...files, ...good })) await writeFile(join(folder, name), content);
  const { documents, notices } = await readDocuments({ sources: ["."], folder, limits });
  const texts = documents.map(({ text }) => text);
  expect(texts).toEqual(expect.arrayContaining(["The good one.", "The last one."]));
  return {
    lines: notices.map((notice) => notice.replace(/^documents: /, "").replace(" left out: it ", " ")),
    texts: texts.filter((text) => !["The good one.", "The last one."].includes(text)),
  };
}

const laughs = `<?xml version="1.0"?><!DOCTYPE w:document [<!ENTITY l0 "ha">${Array.from({ length: 30 }, (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`).join("")}]>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&l30;</w:t></w:r></w:p></w:body></w:document>`;
const deep = (depth: number): string =>
  `${"<w:sdt><w:sdtContent>".repeat(depth)}${paragraph("x")}${"</w:sdtContent></w:sdt>".repeat(depth)}`;
const compound = (stream: string): Buffer =>
  Buffer.concat([Buffer.from("d0cf11e0a1b11ae1", "hex"), Buffer.alloc(504), Buffer.from(stream, "utf16le"), Buffer.alloc(512)]);

/** File, contents, what is said of it. */
const files: readonly (readonly [string, string | Uint8Array, string])[] = [
  ["scan.pdf", pdfOf([[], [], []]), "holds 3 pages of pictures and no text: it is a scan. Run text recognition (OCR) over it."],
  ["encrypted.pdf", pdfOf([["secret"]], { encrypted: true }), "is encrypted. Save it without a password."],
  ["short.pdf", pdfOf([["text"]]).subarray(0, 200), "is a broken PDF. Print or export it again."],
  ["false.pdf", Buffer.from("%PDF-1.7\n".repeat(40)), "is a broken PDF. Print or export it again."],
  ["encrypted.docx", compound("EncryptedPackage"), "is encrypted. Save it without a password."],
  [
    "old.docx",
    compound("WordDocument"),
    "is of an Office format from before 2007, or an Outlook message. Save it as DOCX, PPTX, XLSX or EML.",
  ],
  ["short.docx", docxOf(paragraph("x")).subarray(0, 300), "is a broken ZIP file. Copy or save it again."],
  ["other.docx", zipOf({ "a.txt": "x" }), "holds no Office document. Open it with the program that made it, and save it again."],
  ["text.xlsx", "name,price\n", "is a broken ZIP file. Copy or save it again."],
  [
    "billion-laughs.docx",
    docxOf("", { "word/document.xml": laughs }),
    "declares entities of its own, which no document of its kind needs. Do not trust it.",
  ],
  ["deep.docx", docxOf(deep(100_000)), "nests its elements more than 1000 deep. Save it again with the program that made it."],
  ["deep.html", "<div>".repeat(40_000), "nests its parts too deeply. Save it again with the program that made it."],
  [
    "encrypted.odt",
    zipOf({
      "META-INF/manifest.xml":
        '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>',
    }),
    "is encrypted. Save it without a password.",
  ],
  ["empty.odt", odtOf(""), "is an empty document. Write something into it, or remove it."],
];

test("each broken, encrypted or hostile file in a folder is one line, and the rest is read", async () => {
  const { lines, texts } = await told({ ...Object.fromEntries(files), "nothing.tgz": tarGzOf({}) });
  expect(lines).toEqual(files.map(([name, , line]) => `${name} ${line}`).sort());
  expect(texts).toEqual([]);
}, 60_000);

test("bombs unpack to the limit and no further", async () => {
  const small = { unpackedBytes: 2 ** 20 };
  const many = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`${index}.txt`, "a b c ".repeat(40_000)]));
  const bombs = { "a.docx": docxOf(paragraph(" ".repeat(2 ** 22))), "b.tgz": gzipSync(Buffer.alloc(2 ** 22)), "many.zip": zipOf(many) };
  const line = "unpacks to more than 1 MB. Split it, if it is no zip bomb.";
  expect((await told(bombs, small)).lines.filter((one) => one.endsWith(line))).toEqual(
    ["a.docx", "b.tgz", ...[4, 5, 6, 7].map((index) => `many.zip/${index}.txt`)].map((name) => `${name} ${line}`),
  );
}, 60_000);

test("files that are too large, and archives of too many or too deep, are one line", async () => {
  let nested = zipOf({ "end.md": "the end" });
  for (let depth = 0; depth < 5; depth++) nested = zipOf({ "next.zip": nested });
  const six = zipOf(Object.fromEntries([1, 2, 3, 4, 5, 6].map((index) => [`${index}.md`, "x"])));
  expect(
    (await told({ "deep.zip": nested, "large.txt": "x".repeat(2000), "six.zip": six }, { fileBytes: 1500, entries: 5 })).lines,
  ).toEqual([
    "deep.zip/next.zip/next.zip/next.zip/next.zip lies in more than 3 archives, one in another. Unpack it, if it is no bomb.",
    "large.txt is 1.95 kB large, more than the 1.46 kB that are read. Split it.",
    "six.zip holds 6 files, more than the 5 that are read. Unpack it and name its folders.",
  ]);
}, 60_000);

test("an archive with an encrypted and a broken file gives the others", async () => {
  const archive = zipOf({ "a.docx": docxOf(paragraph("In the archive.")), "b.docx": "no ZIP", "c.md": "", "d.md": "text" });
  const { lines, texts } = await told({ "all.zip": archive, "locked.zip": zipOf({ "a.md": "x" }, { encrypted: true }) });
  expect(lines).toEqual([
    "all.zip/b.docx is a broken ZIP file. Copy or save it again.",
    "all.zip/c.md is an empty document. Write something into it, or remove it.",
    "locked.zip/a.md is encrypted. Save it without a password.",
  ]);
  expect(texts).toEqual(["In the archive.", "text"]);
}, 60_000);

test("a file that takes too long is ended, and its archive goes on behind it", async () => {
  // A table whose merged areas would take years to fill.
  const merges = Array.from({ length: 20_000 }, () => '<mergeCell ref="A1:B900000"/>').join("");
  const rows = Array.from({ length: 900 }, (_, index) => `<row r="${index + 1}"><c><v>1</v></c><c><v>2</v></c></row>`).join("");
  const slow = xlsxOf({ S: `<sheetData>${rows}</sheetData><mergeCells>${merges}</mergeCells>` });
  const archive = zipOf({ "a.md": "before", "b.xlsx": slow, "c.md": "after" });
  const { lines, texts } = await told({ "slow.xlsx": slow, "slow.zip": archive }, { seconds: 3 });
  expect(lines).toEqual(
    ["slow.xlsx", "slow.zip/b.xlsx"].map((name) => `${name} takes more than 3 seconds to read. Split it, or leave it out.`),
  );
  expect(texts).toEqual(["before", "after"]);
}, 60_000);

test("a file that takes too much memory is ended", async () => {
  const cells = Array.from({ length: 60 }, () => `<w:p>${"<w:r><w:t>x</w:t></w:r>".repeat(20_000)}</w:p>`).join("");
  expect((await told({ "large.docx": docxOf(cells) }, { memoryBytes: 250 * 2 ** 20 })).lines).toEqual([
    "large.docx takes more than 250 MB of memory to read. Split it, or leave it out.",
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
