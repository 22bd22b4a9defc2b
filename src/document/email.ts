// Messages as Markdown: who to whom, when, about what, and the text (RFC 5322 and MIME). Attachments are documents of their own.
import PostalMime, { type Address, type Email } from "postal-mime";
import { firstDate } from "./date.ts";
import type { Part, RawFile, Reading } from "./converted.ts";
import { htmlToMarkdown } from "./html.ts";

export async function* readEmail({ bytes }: RawFile, { limits }: Reading): AsyncIterable<Part> {
  const email = await parseEmail(bytes, limits.nesting);
  const head = [
    ["From", addresses(email.from === undefined ? [] : [email.from])],
    ["To", addresses(email.to ?? [])],
    ["Cc", addresses(email.cc ?? [])],
    ["Date", email.date ?? ""],
    ["Subject", email.subject ?? ""],
  ].filter(([, value]) => value !== "");
  const plain = email.text?.trim() ?? "";
  const body = plain === "" && email.html !== undefined ? htmlToMarkdown(email.html).text : plain;
  const attached = namedAttachments(email);
  const text = [
    head.map(([name, value]) => `${name}: ${value}`).join("\n"),
    body.replaceAll(/\r\n?/g, "\n"),
    attached.length === 0 ? "" : `Attached: ${attached.map(({ name }) => name).join(", ")}`,
  ].filter((part) => part !== "");
  yield { kind: "document", text: text.join("\n\n"), ...(email.subject && { title: email.subject }), ...firstDate(email.date) };
  for (const { name, bytes: content } of attached) yield { kind: "file", name, open: () => content };
}

function parseEmail(bytes: Uint8Array, nesting: number): Promise<Email> {
  return PostalMime.parse(bytes, { maxNestingDepth: Math.min(256, nesting), attachmentEncoding: "arraybuffer" });
}

/** Pictures within the text are left out. */
function namedAttachments({ attachments }: Email): RawFile[] {
  return attachments
    .filter(({ related }) => related !== true)
    .map(({ filename, mimeType, content }, index) => ({
      name: (filename ?? `attachment ${index + 1}${mimeType === "message/rfc822" ? ".eml" : ""}`).replaceAll("/", "_"),
      bytes: typeof content === "string" ? Buffer.from(content) : new Uint8Array(content),
    }));
}

function addresses(all: readonly Address[]): string {
  return all
    .flatMap((one) => ("group" in one && one.group !== undefined ? one.group : [one]))
    .map(({ name, address }) => (name ? `${name} <${address ?? ""}>` : (address ?? "")))
    .join(", ");
}
