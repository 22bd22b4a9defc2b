// The formats that documents are read from: one table, by the ends of their names. Readers are loaded when first needed.
import { extname } from "node:path";
import type { RowFields } from "../task.ts";
import type { Converted, RawFile, Read, Reading } from "./converted.ts";
import { csvToMarkdown } from "./csv.ts";
import { decodeText } from "./encoding.ts";
import { Unreadable } from "./limits.ts";
import { markdownDocument, plainDocument } from "./markdown.ts";
import { zipEntries } from "./zip.ts";

export interface Format {
  /** As people call it. */
  readonly name: string;
  readonly extensions: readonly string[];
  /** Files of so many bytes are read in a process of their own: their parser can be led into endless time and memory. */
  readonly apartFrom: number;
  /** Whether there are files in its files. */
  readonly holdsFiles?: true;
  readonly load: () => Promise<Read>;
}

const NEVER = Number.POSITIVE_INFINITY;
/** Starting a process takes longer than parsing a text of this size, whatever it says. */
const SMALL = 2 ** 18;

const formats = {
  markdown: { name: "Markdown", extensions: [".md", ".markdown"], apartFrom: NEVER, load: async () => text(markdownDocument) },
  text: { name: "text", extensions: [".txt", ".text", ".rst", ".adoc"], apartFrom: NEVER, load: async () => text(plainDocument) },
  csv: { name: "CSV", extensions: [".csv", ".tsv"], apartFrom: NEVER, load: async () => text(csvToMarkdown) },
  html: {
    name: "HTML",
    extensions: [".html", ".htm", ".xhtml"],
    apartFrom: SMALL,
    load: async () => text((await import("./html.ts")).htmlToMarkdown, (head) => /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(head)?.[1]),
  },
  pdf: { name: "PDF", extensions: [".pdf"], apartFrom: 0, load: async () => one((await import("./pdf.ts")).pdfToMarkdown) },
  docx: {
    name: "DOCX",
    extensions: [".docx", ".docm", ".dotx"],
    apartFrom: 0,
    load: async () => one((await import("./docx.ts")).docxToMarkdown),
  },
  pptx: {
    name: "PPTX",
    extensions: [".pptx", ".pptm", ".ppsx"],
    apartFrom: 0,
    load: async () => one((await import("./pptx.ts")).pptxToMarkdown),
  },
  xlsx: { name: "XLSX", extensions: [".xlsx", ".xlsm"], apartFrom: 0, load: async () => one((await import("./xlsx.ts")).xlsxToMarkdown) },
  odf: {
    name: "OpenDocument",
    extensions: [".odt", ".odp", ".ods"],
    apartFrom: 0,
    load: async () => one((await import("./odf.ts")).odfToMarkdown),
  },
  epub: { name: "EPUB", extensions: [".epub"], apartFrom: 0, load: async () => one((await import("./epub.ts")).epubToMarkdown) },
  email: { name: "e-mail", extensions: [".eml"], apartFrom: 0, holdsFiles: true, load: async () => (await import("./email.ts")).readEmail },
  graph: {
    name: "RDF",
    extensions: [".nt", ".ttl", ".nq", ".trig"],
    apartFrom: SMALL,
    load: async () => (await import("./graph.ts")).readGraph,
  },
  zip: { name: "ZIP", extensions: [".zip"], apartFrom: 0, holdsFiles: true, load: async () => (await import("./zip.ts")).readZip },
  tar: {
    name: "TAR",
    extensions: [".tar", ".tgz", ".gz"],
    apartFrom: 0,
    holdsFiles: true,
    load: async () => (await import("./tar.ts")).readTar,
  },
} as const satisfies { readonly [name: string]: Format };

/** What a file is read as, whatever its name says. */
export type ReadAs = { readonly kind: "graph" } | (RowFields & { readonly kind: "sqlite" });

/** Files of so many bytes are read in a process of their own. */
export function apartFrom(path: string, as: ReadAs | undefined): number {
  return as === undefined ? (formatNamed(path)?.apartFrom ?? 0) : as.kind === "graph" ? formats.graph.apartFrom : 0;
}

export async function readerAs(as: ReadAs): Promise<Read> {
  if (as.kind === "graph") return formats.graph.load();
  const { readSqlite } = await import("./sqlite.ts");
  return (file) => readSqlite(file, as);
}

const byExtension: ReadonlyMap<string, Format> = new Map(
  Object.values(formats).flatMap((format: Format) => format.extensions.map((extension) => [extension, format] as const)),
);

/** `PDF, DOCX, ... and TAR` */
export const formatNames: string = Object.values(formats)
  .map(({ name }) => name)
  .join(", ")
  .replace(/, ([^,]+)$/, " and $1");

/** The format that a file's name promises. */
export function formatNamed(path: string): Format | undefined {
  return byExtension.get(extname(path).toLowerCase());
}

/** Bytes that tell a format. */
export const HEAD_BYTES = 1024;

/** What a file begins with decides between formats that are no text; its name decides the rest. Throws Unreadable for one that no format fits. */
export function formatOf({ name, bytes }: RawFile, reading: Reading): Format {
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString("latin1");
  if (head.includes("%PDF-")) return formats.pdf;
  if (head.startsWith("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) throw new Unreadable(compoundReason(bytes));
  const named = formatNamed(name);
  if (head.startsWith("PK\x03\x04") && (named === undefined || !packed.has(named))) return packedFormat(bytes, reading);
  if (named === undefined) throw new Unreadable(`is of a format that is not read. Documents are ${formatNames}.`);
  return named;
}

/** Whether a file without a known name begins as a document does. */
export function beginsAsDocument(head: Uint8Array): boolean {
  const text = Buffer.from(head).toString("latin1");
  return text.startsWith("%PDF-") || text.startsWith("PK\x03\x04");
}

const packed: ReadonlySet<Format> = new Set([formats.docx, formats.pptx, formats.xlsx, formats.odf, formats.epub, formats.zip]);

/** By what stands in the package. */
const packages: readonly (readonly [sign: RegExp, format: Format])[] = [
  [/^word\//, formats.docx],
  [/^ppt\//, formats.pptx],
  [/^xl\//, formats.xlsx],
  [/^META-INF\/container\.xml$/, formats.epub],
  [/^META-INF\/manifest\.xml$/, formats.odf],
];

function packedFormat(bytes: Uint8Array, reading: Reading): Format {
  const names = zipEntries({ bytes }, reading).map(({ name }) => name);
  return packages.find(([sign]) => names.some((name) => sign.test(name)))?.[1] ?? formats.zip;
}

/** Microsoft's compound files: what an encrypted document is wrapped in, or a document from before 2007. */
function compoundReason(bytes: Uint8Array): string {
  const encrypted = Buffer.from(bytes).includes(Buffer.from("EncryptedPackage", "utf16le"));
  if (encrypted) return "is encrypted. Save it without a password.";
  return "is of an Office format from before 2007, or an Outlook message. Save it as DOCX, PPTX, XLSX or EML.";
}

type ToMarkdown = (text: string) => Converted;

/** A format that is text. What its encoding was guessed to be is told. */
function text(convert: ToMarkdown, declaredIn?: (head: string) => string | undefined): Read {
  return one(async ({ bytes }) => {
    const decoded = decodeText(bytes, declaredIn);
    const converted = convert(decoded.text.replaceAll(/\r\n?/g, "\n"));
    return decoded.guessed ? { ...converted, notices: [`is not UTF-8; it was read as ${decoded.encoding}.`] } : converted;
  });
}

/** A format of which a file is one document. */
function one(convert: (file: RawFile, reading: Reading) => Promise<Converted>): Read {
  return async function* (file, reading) {
    yield { kind: "document", ...(await convert(file, reading)) };
  };
}
