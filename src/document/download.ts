// One address into one file, unless it is what it was: conditional requests (RFC 9110, section 13), bounded in size, time and redirects.
// Knows no format but by the name that its content type gives it.
import { createWriteStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { STATUS_CODES } from "node:http";
import { extname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { decode, supportedEncoding } from "../data/text-file.ts";
import { formatExtensions, formatNames } from "./formats.ts";
import { type Limits, size, Unreadable } from "./limits.ts";
import { redirected } from "./url.ts";

/** What a server calls a version of a page. */
export interface Validators {
  readonly etag?: string;
  /** As the server writes it. */
  readonly lastModified?: string;
}

export interface Downloaded extends Validators {
  readonly path: string;
  readonly bytes: number;
}

export interface DownloadOptions {
  readonly address: URL;
  /** Where the file is written. */
  readonly folder: string;
  /** Of the version that is there already. */
  readonly before?: Validators | undefined;
  readonly limits: Limits;
  readonly signal?: AbortSignal | undefined;
}

const MOST_REDIRECTS = 5;

/** Throws Unreadable, without any part of the address, for what cannot be had. */
export async function download({ address, folder, before = {}, limits, signal }: DownloadOptions): Promise<Downloaded | "unchanged"> {
  const late = AbortSignal.timeout(limits.seconds * 1000);
  const either = signal === undefined ? late : AbortSignal.any([signal, late]);
  try {
    const { response, at } = await request(address, before, either);
    if (response.status === 304) {
      await response.body?.cancel();
      return "unchanged";
    }
    const path = join(folder, `page${await extensionOf(response, at)}`);
    const bytes = await save(response, path, limits);
    await toUtf8(path, response);
    const [etag, lastModified] = [response.headers.get("etag"), response.headers.get("last-modified")];
    return { path, bytes, ...(etag !== null && { etag }), ...(lastModified !== null && { lastModified }) };
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof Unreadable) throw cause;
    if (late.aborted) throw new Unreadable(`takes more than ${limits.seconds} seconds to fetch. Try again later, or save it as a file.`);
    throw new Unreadable(`can't be reached (${codeOf(cause)}). Check the address and the connection.`);
  }
}

interface Answered {
  readonly response: Response;
  /** Where the redirects ended. */
  readonly at: URL;
}

async function request(address: URL, { etag, lastModified }: Validators, signal: AbortSignal): Promise<Answered> {
  const conditions = {
    ...(etag !== undefined && { "if-none-match": etag }),
    ...(lastModified !== undefined && { "if-modified-since": lastModified }),
  };
  let at = address;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    // A password is for the host that it was written for.
    const headers = { ...conditions, ...(at.host === address.host ? authorization(address) : {}) };
    const response = await fetch(withoutUser(at), { headers, redirect: "manual", signal });
    if ((response.ok && response.status !== 204) || (response.status === 304 && Object.keys(conditions).length > 0))
      return { response, at };
    await response.body?.cancel();
    if (![301, 302, 303, 307, 308].includes(response.status)) throw new Unreadable(refusal(response.status));
    at = redirected(at, response.headers.get("location"));
  }
  throw new Unreadable(`leads from one address to the next more than ${MOST_REDIRECTS} times. Name the page itself.`);
}

function authorization({ username, password }: URL): { readonly authorization?: string } {
  if (username === "" && password === "") return {};
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(user).toString("base64")}` };
}

/** An address with a user is none that may be asked for. */
function withoutUser(address: URL): URL {
  const bare = new URL(address);
  [bare.username, bare.password, bare.hash] = ["", "", ""];
  return bare;
}

function refusal(status: number): string {
  const answer = `answers ${status}${STATUS_CODES[status] === undefined ? "" : ` (${STATUS_CODES[status]})`}.`;
  if (status === 401 || status === 403)
    return `${answer} Write what it asks for into the address, as in https://\${USER}:\${PASSWORD}@host/page.`;
  return `${answer} ${status >= 500 || status === 429 ? "Try again later." : "Check the address."}`;
}

const types: { readonly [type: string]: string } = {
  "text/html": ".html",
  "application/xhtml+xml": ".xhtml",
  "application/pdf": ".pdf",
  "text/markdown": ".md",
  "text/x-markdown": ".md",
  "text/plain": ".txt",
  "text/csv": ".csv",
  "text/tab-separated-values": ".tsv",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
  "application/vnd.oasis.opendocument.text": ".odt",
  "application/vnd.oasis.opendocument.presentation": ".odp",
  "application/vnd.oasis.opendocument.spreadsheet": ".ods",
  "application/epub+zip": ".epub",
  "message/rfc822": ".eml",
  "text/turtle": ".ttl",
  "application/n-triples": ".nt",
  "application/n-quads": ".nq",
  "application/trig": ".trig",
  "application/zip": ".zip",
  "application/x-tar": ".tar",
  "application/gzip": ".gz",
  "application/x-gzip": ".gz",
};
/** Types that say little: what the path ends with says more. */
const vague = [
  "text/plain",
  "application/octet-stream",
  "binary/octet-stream",
  "application/zip",
  "application/gzip",
  "application/x-gzip",
  "",
];

/** The end of a file's name, by the content type; throws Unreadable for a type that is no document's. */
async function extensionOf(response: Response, at: URL): Promise<string> {
  const type = (response.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  const written = extname(at.pathname).toLowerCase();
  const named = formatExtensions.includes(written) ? written : undefined;
  const extension = (vague.includes(type) ? named : undefined) ?? types[type] ?? (vague.includes(type) ? "" : undefined);
  if (extension !== undefined) return extension;
  await response.body?.cancel();
  throw new Unreadable(`is ${/^[\w.+/-]{1,80}$/.test(type) ? type : "of a type"} that is not read. Documents are ${formatNames}.`);
}

/** The bytes written. Throws Unreadable as soon as there are too many. */
async function save(response: Response, path: string, { fileBytes }: Limits): Promise<number> {
  const check = (bytes: number): void => {
    if (bytes > fileBytes) throw new Unreadable(`is larger than the ${size(fileBytes)} that are read. Split it.`);
  };
  check(Number(response.headers.get("content-length") ?? 0));
  let bytes = 0;
  const counted = async function* (pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const piece of pieces) {
      check((bytes += piece.length));
      yield piece;
    }
  };
  await pipeline(response.body === null ? Readable.from([]) : Readable.fromWeb(response.body), counted, createWriteStream(path));
  return bytes;
}

/** What the header says of a text's encoding counts more than what the text says: a byte order mark makes it so. */
async function toUtf8(path: string, { headers }: Response): Promise<void> {
  const stated = headers.get("content-type") ?? "";
  const encoding = supportedEncoding(/^text\/.*;\s*charset="?([\w-]+)/i.exec(stated)?.[1]);
  if (encoding === undefined || encoding === "utf-8") return;
  try {
    await writeFile(path, `\ufeff${decode(await readFile(path), encoding)}`);
  } catch {
    // Of another encoding than it says: it is guessed like that of any file.
  }
}

function codeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error && "code" in inner && typeof inner.code === "string" ? inner.code : "the connection ended";
}
