// Documents by address, from a server on this machine.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { docxOf, paragraph } from "../../test/support/packed-files.ts";
import { type PageServer, type ServedPage, startPages } from "../../test/support/page-server.ts";
import { memoryStore } from "../store/memory.ts";
import type { Limits } from "./limits.ts";
import { type ReadDocuments, readDocuments, type ReadDocumentsOptions } from "./read-all.ts";
import { isUrl, redirected, urlSource } from "./url.ts";

let server: PageServer;
let folder: string;
let cache: ReturnType<typeof memoryStore>;
beforeEach(async () => {
  [server, folder, cache] = [await startPages(), await mkdtemp(join(tmpdir(), "sartor-pages-")), memoryStore()];
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await cache[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const read = (path: string, options: Partial<ReadDocumentsOptions> = {}): Promise<ReadDocuments> =>
  readDocuments({ sources: [isUrl(path) ? path : `${server.url}${path}`], folder, ...options });
const serve = (path: string, page: ServedPage): void => void server.pages.set(path, page);
const monday = "Mon, 02 Mar 2026 08:00:00 GMT";

test("a page is a document: named by host and path, dated by its server", async () => {
  serve("/guide", { body: "<h1>Winter</h1><p>Drain the tank.</p>", type: "text/html; charset=utf-8", lastModified: monday });
  expect((await read("/guide")).documents).toEqual([
    {
      id: `${server.host}/guide`,
      title: "Winter",
      text: "# Winter\n\nDrain the tank.",
      sha256: expect.any(String) as string,
      modified: "2026-03-02T08:00:00.000Z",
    },
  ]);
});

test.each<[string, string, ServedPage, string]>([
  [
    "the content type",
    "/report",
    { body: docxOf(paragraph("packed")), type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
    "packed",
  ],
  ["the path, where the type says little", "/notes.md?v=2", { body: "# A\n\n*b*", type: "text/plain" }, "# A\n\n*b*"],
  ["the type against the path", "/notes.md", { body: "<p>a</p>", type: "text/html" }, "a"],
  ["the first bytes, where nothing else does", "/x", { body: docxOf(paragraph("packed")), type: "application/octet-stream" }, "packed"],
])("%s decides the format", async (_, path, page, text) => {
  serve(path, page);
  expect((await read(path)).documents.map((document) => document.text)).toEqual([text]);
});

test("the encoding that the header names counts more than what the text says", async () => {
  serve("/old", { body: Buffer.from('<meta charset="utf-8"><p>caf\xe9</p>', "latin1"), type: "text/html; charset=ISO-8859-1" });
  expect((await read("/old")).documents[0]!.text).toBe("café");
});

describe("with what was read kept", () => {
  test.each<[string, ServedPage]>([
    ["an ETag", { etag: '"1"' }],
    ["a date", { lastModified: monday }],
  ])("a page with %s is fetched again when it changes", async (_, validator) => {
    serve("/a", { body: "<p>one</p>", ...validator });
    const first = await read("/a", { cache });
    expect(await read("/a", { cache })).toEqual(first);
    serve("/a", { body: "<p>two</p>", etag: '"2"' });
    expect((await read("/a", { cache })).documents[0]!.text).toBe("two");
    expect(server.asked).toEqual(["GET /a 200", "GET /a 304", "GET /a 200"]);
  });

  test("one that cannot be had any more stays what it was, and the notice says so", async () => {
    serve("/a", { body: "<p>one</p>" });
    const first = await read("/a", { cache });
    serve("/a", { status: 404 });
    expect(await read("/a", { cache })).toEqual({
      ...first,
      notices: [`documents: ${server.url}/a answers 404 (Not Found). Check the address. What was read of it before is used.`],
    });
    serve("/a", { body: "" });
    expect((await read("/a", { cache })).documents).toEqual(first.documents);
  });
});

test.each<[string, ServedPage | undefined, RegExp, Partial<Limits>]>([
  ["a page that is not there", undefined, /answers 404 \(Not Found\)\. Check the address\.$/, {}],
  ["a server in trouble", { status: 503 }, /answers 503 \(Service Unavailable\)\. Try again later\.$/, {}],
  ["one that wants a password", { status: 401 }, /answers 401 \(Unauthorized\)\. Write what it asks for into the address/, {}],
  ["a picture", { type: "image/png", body: "x" }, /is image\/png that is not read\. Documents are /, {}],
  ["a redirect without end", { status: 302, location: "/a?key=secret" }, /leads from one address to the next more than 5 times\./, {}],
  ["a redirect to nowhere", { status: 302, location: "ftp://example.com/" }, /leads to no address\./, {}],
  ["a page that is too large", { body: "x".repeat(5000) }, /is larger than the 1 kB that are read\. Split it\.$/, { fileBytes: 1024 }],
  ["a server that says nothing", { fault: "silent" }, /takes more than 0\.3 seconds to fetch\./, { seconds: 0.3 }],
  ["a connection that ends", { body: "half", fault: "cut" }, /can't be reached \(.+\)\. Check the address and the connection\.$/, {}],
])("%s is one line without what may be secret", async (_, page, message, limits) => {
  if (page !== undefined) serve("/a?key=secret", page);
  const address = server.url.replace("//", "//me:password@");
  const error: unknown = await read(`${address}/a?key=secret`, { limits }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "UserError", message: expect.stringMatching(message) as string });
  expect(String(error)).toContain(`documents: ${server.url}/a?... `);
  expect(String(error)).not.toMatch(/secret|password|\n/);
});

test("a host that does not answer is one line", async () => {
  const gone = await startPages();
  await gone[Symbol.asyncDispose]();
  await expect(read(`${gone.url}/a`)).rejects.toThrow(
    `documents: ${gone.url}/a can't be reached (ECONNREFUSED). Check the address and the connection.`,
  );
});

test("redirects are followed, the password stays with its host", async () => {
  await using other = await startPages({ "/b": { body: "<p>there</p>" } });
  serve("/a", { status: 301, location: `${other.url}/b` });
  const { documents } = await read(`${server.url.replace("//", "//me:pass%20word@")}/a`);
  expect(documents).toMatchObject([{ id: `${server.host}/a`, text: "there" }]);
  expect(server.requests[0]!.headers.authorization).toBe(`Basic ${Buffer.from("me:pass word").toString("base64")}`);
  expect(other.requests[0]!.headers.authorization).toBeUndefined();
});

test("${NAME} stands for an environment variable, which must be set; nothing that is kept holds its value", async () => {
  serve("/a?key=s%26cret", { body: "<p>text</p>" });
  const written = "/a?key=${KEY}";
  const { documents } = await read(written, { cache, secret: (name) => (name === "KEY" ? "s&cret" : undefined) });
  expect(JSON.stringify(documents)).not.toMatch(/cret/);
  const kept = await Promise.all((await cache.list("")).map(async (key) => `${key} ${await cache.readText(key)}`));
  expect(kept.join()).not.toMatch(/cret/);
  await expect(read(written)).rejects.toThrow(/\/a\?\.\.\. needs the environment variable KEY, which is not set\./);
});

test("pages that differ in their queries are two documents, and no temporary file is left", async () => {
  const before = (await readdir(tmpdir())).filter((name) => name.startsWith("sartor-page-"));
  serve("/a?n=1", { body: "<p>one</p>" });
  serve("/a?n=2", { body: "<p>two</p>" });
  const { documents } = await readDocuments({ sources: [`${server.url}/a?n=1`, `${server.url}/a?n=2`], folder });
  expect(documents.map(({ text }) => text).sort()).toEqual(["one", "two"]);
  expect(new Set(documents.map(({ id }) => id)).size).toBe(2);
  expect((await readdir(tmpdir())).filter((name) => name.startsWith("sartor-page-"))).toEqual(before);
});

test.each([
  ["https://example.com/a", "http://example.com/a", /from https to http/],
  ["https://example.com/a", "https://127.0.0.1/a", /into the network of this machine/],
  ["http://example.com/a", "http://169.254.169.254/latest", /into the network of this machine/],
  ["http://example.com/a", "http://[::1]/a", /into the network of this machine/],
  ["http://example.com/a", "http://localhost:8080/a", /into the network of this machine/],
  ["http://example.com/a", "file:///etc/passwd", /leads to no address/],
])("no redirect leads from %s to %s", (from, to, message) => expect(() => redirected(new URL(from), to)).toThrow(message));

test("what an address is called", () => {
  expect(urlSource("https://me:pw@example.com/a%20b/?q=1#x")).toEqual({
    written: "https://me:pw@example.com/a%20b/?q=1#x",
    id: expect.stringMatching(/^example\.com\/a b\?[0-9a-f]{8}$/) as string,
    name: "https://example.com/a b?...",
  });
  expect(() => urlSource("https://me:pw@:/")).toThrow(/^documents: an address is none that can be read\. .*example\.com/);
});
