import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { sha256 } from "../util/hash.ts";
import { readDocument } from "./read.ts";
import { readDocuments } from "./read-all.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-documents-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function write(files: { readonly [path: string]: string | Uint8Array }): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

const idsOf = async (...paths: string[]): Promise<string[]> => (await readDocuments({ paths, folder })).documents.map(({ id }) => id);

test("a document is its text without mark and with one kind of line end, its title and its hash", async () => {
  await write({ "a.md": "\uFEFF# Late *returns* #\r\n\r\nOne\rTwo  \n" });
  const text = "# Late *returns* #\n\nOne\nTwo  \n";
  expect(await readDocument({ path: join(folder, "a.md"), id: "a.md" })).toEqual({
    id: "a.md",
    title: "Late returns",
    text,
    sha256: sha256(text),
  });
});

test.each([
  ["front matter", "---\ntitle: 'From: matter'\n---\n# Heading", "From: matter"],
  ["front matter without a title", "---\ndate: 2024\n---\nText\n\n# Heading", "Heading"],
  ["a rule that looks like front matter", "---\nnot: [yaml\n---\n# Heading", "Heading"],
  ["an underlined heading", "Heading `x`\n====\n", "Heading x"],
  ["a link in the heading", "# See [this](http://x.example)", "See this"],
  ["a heading in code", "```sh\n# no title\n```\ntext", "winter storage"],
  ["headings of other levels", "## Second\ntext", "winter storage"],
])("the title of a Markdown file with %s", async (_name, text, title) => {
  await write({ "winter-storage.md": text });
  const document = await readDocument({ path: join(folder, "winter-storage.md"), id: "winter-storage.md" });
  expect(document).toEqual({ id: "winter-storage.md", title, text, sha256: sha256(text) });
});

test("HTML in an older encoding is read as it declares itself, and UTF-16 by its mark", async () => {
  await write({
    "old.html": Buffer.from('<meta charset="windows-1252"><p>caf\xe9 \x80 5</p>', "latin1"),
    "wide.txt": Buffer.from("\uFEFFcafé", "utf16le"),
  });
  const { documents } = await readDocuments({ paths: ["."], folder });
  expect(documents.map(({ text }) => text)).toEqual(["café € 5", "café"]);
});

test("ids are paths below the named folder; for files and patterns, below the task's", async () => {
  await write({
    "docs/b.md": "b",
    "docs/sub/a.txt": "a",
    "docs/.hidden.md": "h",
    "docs/sub/c.html": "<p>c</p>",
    "top.md": "t",
    "~draft.md": "d",
  });
  expect(await idsOf("docs/")).toEqual(["b.md", "sub/a.txt", "sub/c.html"]);
  expect(await idsOf("docs/b.md", "top.md")).toEqual(["docs/b.md", "top.md"]);
  expect(await idsOf("./docs/**/*.{txt,html}")).toEqual(["docs/sub/a.txt", "docs/sub/c.html"]);
  expect(await idsOf("docs", "docs/b.md", "*.md")).toEqual(["b.md", "sub/a.txt", "sub/c.html", "top.md"]);
  expect(await idsOf()).toEqual([]);
});

test("a link to a folder above is not followed round", async () => {
  await write({ "docs/a.md": "a" });
  await symlink(join(folder, "docs"), join(folder, "docs/again"), "dir");
  expect(await idsOf("docs")).toEqual(["a.md"]);
});

test("files of other formats and equal texts are noticed", async () => {
  await write({ "docs/a.md": "same", "docs/b.txt": "same", "docs/c.pdf": "%PDF", "docs/d.pdf": "%PDF", "docs/e.png": "x" });
  expect((await readDocuments({ paths: ["docs"], folder })).notices).toEqual([
    "documents: docs/c.pdf and 1 more .pdf file left out: documents are .md, .markdown, .txt, .html and .htm so far.",
    "documents: docs/e.png left out: documents are .md, .markdown, .txt, .html and .htm so far.",
    "documents: a.md and b.txt hold the same text.",
  ]);
});

test.each<[string, { readonly [path: string]: string | Uint8Array }, string[], string]>([
  ["a missing path", {}, ["docs/"], 'documents: there is no file or folder "docs/" in FOLDER. Check the path, or take it out of the task.'],
  [
    "a pattern without a match",
    { "a.txt": "a" },
    ["no/*.md"],
    'documents: no file matches "no/*.md" in FOLDER. Check the pattern, or take it out of the task.',
  ],
  [
    "an empty document",
    { "docs/a.md": "a", "docs/b.md": " \n" },
    ["docs"],
    "docs/b.md is an empty document. Write something into it, or remove it.",
  ],
  [
    "a page without text",
    { "b.html": "<body><script>x</script></body>" },
    ["b.html"],
    "b.html is an empty document. Write something into it, or remove it.",
  ],
  [
    "a named file of another format",
    { "b.pdf": "%PDF" },
    ["b.pdf"],
    "b.pdf can't be read: documents are .md, .markdown, .txt, .html and .htm so far. Convert it, or leave it out.",
  ],
  [
    "a folder without documents",
    { "docs/b.pdf": "%PDF" },
    ["docs"],
    'documents: "docs" holds no document. Documents are .md, .markdown, .txt, .html and .htm files so far.',
  ],
  [
    "two documents of one id",
    { "x/a.md": "a", "y/a.md": "b" },
    ["x", "y"],
    'x/a.md and y/a.md would both be the document "a.md". Rename one, or name a folder that holds both.',
  ],
  [
    "another encoding",
    { "a.md": Buffer.from("one\ntwo caf\xe9 three\n", "latin1") },
    ["a.md"],
    'Line 2 of a.md is not UTF-8 (as Windows-1252 it would read "two café three"). Save the file as UTF-8.',
  ],
  [
    "a binary file",
    { "a.txt": "one\ntwo\0" },
    ["a.txt"],
    "Line 2 of a.txt holds a NUL byte: it is a binary file, or UTF-16 without a byte order mark. Save it as UTF-8 text.",
  ],
  ["broken UTF-16", { "a.txt": new Uint8Array([0xff, 0xfe, 0x00, 0xd8]) }, ["a.txt"], "a.txt is broken UTF-16LE. Save it as UTF-8."],
])("%s gets one line", async (_name, files, paths, message) => {
  await write(files);
  const error = await readDocuments({ paths, folder }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toBe(message.replace("FOLDER", folder));
});
