// Files that tests make: ZIPs and what is packed in them, tape archives, PDFs. As small as their formats allow.
import { deflateRawSync, gzipSync } from "node:zlib";

export interface ZipOptions {
  /** Marks every file as encrypted. */
  readonly encrypted?: boolean;
}

/** A ZIP of files by name, deflated. */
export function zipOf(files: { readonly [name: string]: string | Uint8Array }, { encrypted = false }: ZipOptions = {}): Buffer {
  const [locals, directory]: [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(encrypted ? 0x801 : 0x800, 2);
    head.writeUInt16LE(8, 4);
    head.writeUInt32LE(packed.length, 14);
    head.writeUInt32LE(bytes.length, 18);
    head.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), head, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), head, tail, Buffer.from(name)]));
    locals.push(local);
    at += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...locals, listed, Buffer.from("PK\x05\x06", "latin1"), end]);
}

/** A tape archive packed with gzip. */
export function tarGzOf(files: { readonly [name: string]: string | Uint8Array }): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write("0000644\0", 100);
    header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        0", 148);
    header.write("ustar\u000000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

const relationships = (...entries: readonly (readonly [id: string, type: string, target: string])[]): string =>
  `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${entries
    .map(
      ([id, type, target]) =>
        `<Relationship Id="${id}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${type}" Target="${target}"/>`,
    )
    .join("")}</Relationships>`;

const word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';

/** A Word document around the XML of its body, with headings as styles "H1" to "H3". */
export function docxOf(body: string, more: { readonly [part: string]: string } = {}): Buffer {
  const styles = [1, 2, 3].map((level) => `<w:style w:type="paragraph" w:styleId="H${level}"><w:name w:val="heading ${level}"/></w:style>`);
  return zipOf({
    "_rels/.rels": relationships(["r1", "officeDocument", "word/document.xml"]),
    "word/_rels/document.xml.rels": relationships(["s", "styles", "styles.xml"], ["n", "numbering", "numbering.xml"]),
    "word/styles.xml": `<w:styles ${word}>${styles.join("")}</w:styles>`,
    "word/document.xml": `<?xml version="1.0"?><w:document ${word} xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"><w:body>${body}</w:body></w:document>`,
    ...more,
  });
}

export const paragraph = (text: string, properties = ""): string =>
  `<w:p>${properties === "" ? "" : `<w:pPr>${properties}</w:pPr>`}<w:r><w:t>${text}</w:t></w:r></w:p>`;

const drawing =
  'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"';
const show = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"';

/** A presentation of slides with a title and paragraphs. */
export function pptxOf(slides: readonly { readonly title: string; readonly paragraphs: readonly string[] }[]): Buffer {
  const shape = (type: string, texts: readonly string[]): string =>
    `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${type}"/></p:nvPr></p:nvSpPr><p:txBody>${texts.map((text) => `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`).join("")}</p:txBody></p:sp>`;
  const parts = slides.map(
    ({ title, paragraphs }) =>
      `<p:sld ${show} ${drawing}><p:cSld><p:spTree>${shape("body", paragraphs)}${shape("title", [title])}</p:spTree></p:cSld></p:sld>`,
  );
  return zipOf({
    "_rels/.rels": relationships(["r1", "officeDocument", "ppt/presentation.xml"]),
    "ppt/presentation.xml": `<p:presentation ${show} ${drawing}><p:sldIdLst>${parts.map((_, index) => `<p:sldId r:id="s${index}"/>`).join("")}</p:sldIdLst></p:presentation>`,
    "ppt/_rels/presentation.xml.rels": relationships(
      ...parts.map((_, index) => [`s${index}`, "slide", `slides/slide${index}.xml`] as const),
    ),
    ...Object.fromEntries(parts.map((part, index) => [`ppt/slides/slide${index}.xml`, part])),
  });
}

/** A workbook: the XML of `sheetData` and what follows it, by the sheet's name. The second style of a cell is a date. */
export function xlsxOf(sheets: { readonly [name: string]: string }, sharedStrings: readonly string[] = []): Buffer {
  const namespace = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" ${drawing}`;
  const names = Object.keys(sheets);
  return zipOf({
    "_rels/.rels": relationships(["r1", "officeDocument", "/xl/workbook.xml"]),
    "xl/workbook.xml": `<workbook ${namespace}><sheets>${names.map((name, index) => `<sheet name="${name}" r:id="s${index}"/>`).join("")}</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": relationships(
      ["st", "styles", "styles.xml"],
      ["ss", "sharedStrings", "sharedStrings.xml"],
      ...names.map((_, index) => [`s${index}`, "worksheet", `sheet${index}.xml`] as const),
    ),
    "xl/styles.xml": `<styleSheet ${namespace}><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`,
    "xl/sharedStrings.xml": `<sst ${namespace}>${sharedStrings.map((text) => `<si><t>${text}</t></si>`).join("")}</sst>`,
    ...Object.fromEntries(names.map((name, index) => [`xl/sheet${index}.xml`, `<worksheet ${namespace}>${sheets[name]}</worksheet>`])),
  });
}

export function epubOf(title: string, chapters: readonly string[]): Buffer {
  return zipOf({
    mimetype: "application/epub+zip",
    "META-INF/container.xml":
      '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="book/content.opf"/></rootfiles></container>',
    "book/content.opf": `<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>${title}</dc:title></metadata><manifest>${chapters
      .map((_, index) => `<item id="c${index}" href="text/c%20${index}.xhtml"/>`)
      .join("")}</manifest><spine>${chapters.map((_, index) => `<itemref idref="c${index}"/>`).join("")}</spine></package>`,
    ...Object.fromEntries(
      chapters.map((body, index) => [
        `book/text/c ${index}.xhtml`,
        `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>${body}</body></html>`,
      ]),
    ),
  });
}

export function odtOf(body: string): Buffer {
  return zipOf({
    mimetype: "application/vnd.oasis.opendocument.text",
    "META-INF/manifest.xml": '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
    "content.xml": `<office:document-content ${["office", "text", "table", "drawing"]
      .map((name) => `xmlns:${name === "drawing" ? "draw" : name}="urn:oasis:names:tc:opendocument:xmlns:${name}:1.0"`)
      .join(" ")}><office:body><office:text>${body}</office:text></office:body></office:document-content>`,
  });
}

export interface PdfOptions {
  /** Says in the trailer that the file is encrypted. */
  readonly encrypted?: boolean;
  /** As PDF writes dates. */
  readonly modified?: string;
}

/** A PDF of pages of lines; a page without lines shows a grey square. */
export function pdfOf(pages: readonly (readonly string[])[], { encrypted = false, modified }: PdfOptions = {}): Buffer {
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, index) => `${4 + 2 * index} 0 R`).join(" ")}] >>`,
  ];
  objects.push("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
  for (const [index, lines] of pages.entries()) {
    const shown = lines.map((line, at) => `BT /F1 12 Tf 72 ${720 - 18 * at} Td (${line.replaceAll(/[()\\]/g, "\\$&")}) Tj ET`);
    const content = lines.length === 0 ? "0.5 g 72 72 400 600 re f" : shown.join("\n");
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${5 + 2 * index} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    );
  }
  const id = "00".repeat(16);
  if (encrypted) objects.push(`<< /Filter /Standard /V 1 /R 2 /O <${"41".repeat(32)}> /U <${"42".repeat(32)}> /P -4 >>`);
  if (modified !== undefined) objects.push(`<< /ModDate (${modified}) >>`);
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const encrypt = encrypted ? ` /Encrypt ${objects.length} 0 R /ID [<${id}> <${id}>]` : "";
  const information = modified === undefined ? "" : ` /Info ${objects.length} 0 R`;
  return Buffer.from(
    `${text}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R${encrypt}${information} >>\nstartxref\n${text.length}\n%%EOF\n`,
    "latin1",
  );
}
