// Books as Markdown: their chapters in reading order, each read as a web page (EPUB 3.3, sections 4 and 5).
import { type Converted, type RawFile, type Reading } from "./converted.ts";
import { firstDate } from "./date.ts";
import { decodeText } from "./encoding.ts";
import { htmlToMarkdown } from "./html.ts";
import { Unreadable } from "./limits.ts";
import { childOf, descendantsOf, elementsOf, parseXml, textOf, type XmlElement } from "./xml.ts";
import { zipEntries } from "./zip.ts";

/** Scrambling of fonts is no encryption of the text. */
const fontScrambling = /idpf\.org\/2008\/embedding|ns\.adobe\.com\/pdf\/enc#RC/;

export async function epubToMarkdown(file: RawFile, reading: Reading): Promise<Converted> {
  const entries = new Map(zipEntries(file, reading).map((entry) => [entry.name, entry]));
  const part = (name: string): XmlElement | undefined => {
    const bytes = entries.get(name)?.read();
    return bytes && parseXml(bytes, reading.limits);
  };
  const encryption = part("META-INF/encryption.xml");
  const methods = encryption === undefined ? [] : descendantsOf(encryption, "enc:EncryptionMethod");
  if (methods.some(({ attributes: { Algorithm = "" } }) => !fontScrambling.test(Algorithm)))
    throw new Unreadable("is protected by a seller's encryption. Use a copy without it, or leave it out.");
  const path = descendantsOf(part("META-INF/container.xml") ?? { name: "", attributes: {}, children: [] }, "container:rootfile")[0]
    ?.attributes["full-path"];
  const book = path === undefined ? undefined : part(path);
  const [manifest, spine] = [childOf(book, "opf:manifest"), childOf(book, "opf:spine")];
  if (path === undefined || manifest === undefined || spine === undefined)
    throw new Unreadable("is no EPUB: it names no chapters. Convert it again.");
  const items = new Map(elementsOf(manifest, "opf:item").map(({ attributes: { id = "", href = "" } }) => [id, href]));
  const chapters = elementsOf(spine, "opf:itemref").map(({ attributes: { idref = "" } }) => {
    const bytes = entries.get(within(path, items.get(idref) ?? ""))?.read();
    return bytes === undefined ? "" : htmlToMarkdown(chapterText(bytes)).text;
  });
  const metadata = childOf(book, "opf:metadata");
  const title = textOf(childOf(metadata, "dc:title")).replaceAll(/\s+/g, " ").trim();
  const changed = metadata && elementsOf(metadata, "opf:meta").find(({ attributes }) => attributes["property"] === "dcterms:modified");
  return { text: chapters.filter((text) => text !== "").join("\n\n"), ...(title !== "" && { title }), ...firstDate(textOf(changed)) };
}

/** An HTML parser would take `<title/>` for the beginning of one. */
function chapterText(bytes: Uint8Array): string {
  return decodeText(bytes).text.replaceAll(/<(title|script|style|a|p|div|span|i|b|em|td|th)(\s[^<>]*)?\/>/gi, "<$1$2></$1>");
}

/** A name relative to the folder of the part that names it. */
function within(part: string, name: string): string {
  const path = part.split("/").slice(0, -1);
  for (const step of decodeURIComponent(name.replace(/#.*$/, "")).split("/")) {
    if (step === "..") path.pop();
    else if (step !== "." && step !== "") path.push(step);
  }
  return path.join("/");
}
