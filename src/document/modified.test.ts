// When a document was last changed: what its format says, else the date of its file.
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { docxOf, paragraph, pdfOf, zipOf } from "../../test/support/packed-files.ts";
import { readDocuments } from "./read-all.ts";

const day = "2026-03-01T11:30:00.000Z";
const written = "2026-03-01T12:30:00+01:00";
const touched = new Date("2020-02-02T02:02:02.000Z");

const core = `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dcterms="http://purl.org/dc/terms/"><dcterms:modified>${written}</dcterms:modified></cp:coreProperties>`;
const relationship = (id: string, type: string, target: string): string =>
  `<Relationship Id="${id}" Type="http://schemas.openxmlformats.org/${type}" Target="${target}"/>`;
const relationships = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${relationship("a", "officeDocument/2006/relationships/officeDocument", "word/document.xml")}${relationship("b", "package/2006/relationships/metadata/core-properties", "core.xml")}</Relationships>`;
const office =
  'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"';

const files: { readonly [name: string]: string | Uint8Array } = {
  "front.md": `---\nupdated: ${written}\ndate: 2019-01-01\n---\n# Front`,
  "mail.eml": "From: a@example.com\r\nDate: Sun, 1 Mar 2026 12:30:00 +0100\r\nSubject: x\r\n\r\ntext",
  "manual.pdf": pdfOf([["The pump is checked every spring."]], { modified: "D:20260301123000+01'00'" }),
  "page.html": `<html><head><meta property="article:modified_time" content="${written}"></head><body><p>text</p></body></html>`,
  "report.docx": docxOf(paragraph("text"), { "_rels/.rels": relationships, "core.xml": core }),
  "letter.odt": zipOf({
    mimetype: "application/vnd.oasis.opendocument.text",
    "META-INF/manifest.xml": '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
    "content.xml": `<office:document-content ${office}><office:body><office:text><text:p>text</text:p></office:text></office:body></office:document-content>`,
    "meta.xml": `<office:document-meta ${office} xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta><dc:date>${written}</dc:date></office:meta></office:document-meta>`,
  }),
  "book.epub": zipOf({
    "META-INF/container.xml":
      '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="b.opf"/></rootfiles></container>',
    "b.opf": `<package xmlns="http://www.idpf.org/2007/opf"><metadata><meta property="dcterms:modified">${written}</meta></metadata><manifest><item id="c" href="c.xhtml"/></manifest><spine><itemref idref="c"/></spine></package>`,
    "c.xhtml": "<html><body><p>text</p></body></html>",
  }),
  "plain.txt": "text of 2026-03-01",
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-modified-"));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content);
    await utimes(join(folder, name), touched, touched);
  }
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

test("every format's own date comes before that of the file", async () => {
  const { documents, skipped } = await readDocuments({ sources: ["."], folder });
  expect(skipped).toEqual([]);
  expect(Object.fromEntries(documents.map(({ id, modified }) => [id, modified]))).toEqual({
    ...Object.fromEntries(Object.keys(files).map((name) => [name, day])),
    "plain.txt": touched.toISOString(),
  });
}, 60_000);
