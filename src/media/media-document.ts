// A picture or a sound as a document: named by its file, and described by what the file says of itself.
import type { FoundFile } from "../document/find.ts";
import { type Limits, Unreadable } from "../document/limits.ts";
import { titleOfName } from "../document/markdown.ts";
import { descendantsOf, parseXml, textOf } from "../document/xml.ts";
import type { Media } from "../model.ts";
import type { Document } from "../task.ts";
import { sha256 } from "../util/hash.ts";
import { readWav } from "./wav.ts";

export interface MediaDocumentOptions {
  readonly file: Pick<FoundFile, "id">;
  readonly media: Media;
  readonly limits: Limits;
  /** ISO 8601 in UTC. */
  readonly modified: string;
}

/** Its text is its description, empty for most. */
export function mediaDocument({ file, media, limits, modified }: MediaDocumentOptions): Document {
  const hash = sha256(media.bytes);
  const text = description(media, limits);
  return { id: file.id, title: titleOfName(file.id), text, sha256: hash, modified, media: { kind: media.kind, sha256: hash } };
}

function description({ kind, bytes }: Media, limits: Limits): string {
  try {
    return [...new Set(kind === "image" ? described(bytes, limits) : readWav(bytes).facts)].join("\n");
  } catch (error) {
    // Whether the file can be read at all is for the model to say.
    if (error instanceof Unreadable) return "";
    throw error;
  }
}

/** Of XMP's fields: IPTC's alternative text, then Dublin Core's. */
const fields = ["Iptc4xmpCore:AltTextAccessibility", "dc:title", "dc:description"];
const [opening, closing] = ["<x:xmpmeta", "</x:xmpmeta>"];

/** XMP stands as plain XML in the files of every format (ISO 16684-1). */
function described(bytes: Uint8Array, limits: Limits): readonly string[] {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = file.indexOf(opening);
  const end = start < 0 ? -1 : file.indexOf(closing, start);
  if (end < 0) return [];
  const root = parseXml(file.subarray(start, end + closing.length), limits);
  // A field may hold its text in several languages: the first is the default.
  return fields.flatMap((name) => {
    const [field] = descendantsOf(root, name);
    const texts = field === undefined ? [] : descendantsOf(field, "rdf:li");
    const text = textOf(texts[0] ?? field).trim();
    return text === "" ? [] : [text];
  });
}
