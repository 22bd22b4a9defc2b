import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { sha256 } from "../util/hash.ts";
import type { Document } from "../task.ts";
import { formatNames } from "./formats.ts";
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

const readOne = async (name: string): Promise<Document> => (await readDocuments({ sources: [name], folder })).documents[0]!;
const idsOf = async (...paths: string[]): Promise<string[]> =>
  (await readDocuments({ sources: paths, folder })).documents.map(({ id }) => id);

test("a document is its text without mark and with one kind of line end, its title and its hash", async () => {
  await write({ "a.md": "\uFEFF# Late *returns* #\r\n\r\nOne\rTwo  \n" });
  const text = "# Late *returns* #\n\nOne\nTwo  \n";
  expect(await readOne("a.md")).toEqual({
    id: "a.md",
    title: "Late returns",
    text,
    sha256: sha256(text),
    modified: expect.stringMatching(/^20.*Z$/) as string,
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
  expect(await readOne("winter-storage.md")).toMatchObject({ id: "winter-storage.md", title, text, sha256: sha256(text) });
});

test("HTML in an older encoding is read as it declares itself, and UTF-16 by its mark", async () => {
  await write({
    "old.html": Buffer.from('<meta charset="windows-1252"><p>caf\xe9 \x80 5</p>', "latin1"),
    "wide.txt": Buffer.from("\uFEFFcafé", "utf16le"),
  });
  const { documents } = await readDocuments({ sources: ["."], folder });
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

test("examples are no documents, wherever they lie", async () => {
  await write({ "a.md": "a", "examples.csv": "input,output\nx,y\n", "data/test.csv": "input,output\nx,y\n" });
  const { documents } = await readDocuments({ sources: ["."], folder, exclude: ["examples.csv", "./data/test.csv"] });
  expect(documents.map(({ id }) => id)).toEqual(["a.md"]);
});

test("reading stops when it is told to", async () => {
  await write({ "a.md": "a" });
  await expect(readDocuments({ sources: ["."], folder, signal: AbortSignal.abort(new Error("stopped")) })).rejects.toThrow("stopped");
});

test("a link to a folder above is not followed round", async () => {
  await write({ "docs/a.md": "a" });
  await symlink(join(folder, "docs"), join(folder, "docs/again"), "dir");
  expect(await idsOf("docs")).toEqual(["a.md"]);
});

test("files of other formats, files that can't be read and equal texts are noticed, and the rest is read", async () => {
  await write({
    "docs/a.md": "same",
    "docs/b.txt": "same",
    "docs/c.png": "x",
    "docs/d.png": "x",
    "docs/e.mp3": "x",
    "docs/empty.md": " \n",
    "docs/f.pdf": "%PDF-1.4 and no more",
    "docs/old.txt": Buffer.from("Die Gebühr beträgt fünf Euro für jede angefangene Stunde, höchstens zwölf.", "latin1"),
  });
  const { documents, skipped, notices } = await readDocuments({ sources: ["docs"], folder });
  expect(documents.map(({ id }) => id)).toEqual(["a.md", "b.txt", "old.txt"]);
  expect(documents[2]?.text).toBe("Die Gebühr beträgt fünf Euro für jede angefangene Stunde, höchstens zwölf.");
  expect(skipped.map(({ name }) => name)).toEqual(["docs/empty.md", "docs/f.pdf"]);
  expect(notices).toEqual([
    `documents: docs/c.png and 1 more .png file left out: documents are ${formatNames}.`,
    `documents: docs/e.mp3 left out: documents are ${formatNames}.`,
    "documents: docs/empty.md left out: it is an empty document. Write something into it, or remove it.",
    "documents: docs/f.pdf left out: it is a broken PDF. Print or export it again.",
    "documents: docs/old.txt is not UTF-8; it was read as windows-1252.",
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
  ["an empty document", { "docs/b.md": " \n" }, ["docs/b.md"], "docs/b.md is an empty document. Write something into it, or remove it."],
  [
    "a page without text",
    { "b.html": "<body><script>x</script></body>" },
    ["b.html"],
    "b.html is an empty document. Write something into it, or remove it.",
  ],
  ["a named file of another format", { "b.mp3": "ID3" }, ["b.mp3"], `b.mp3 is of a format that is not read. Documents are ${formatNames}.`],
  ["a folder without documents", { "docs/b.mp3": "ID3" }, ["docs"], `documents: "docs" holds no document. Documents are ${formatNames}.`],
  [
    "a folder of documents that can't be read",
    { "docs/b.md": "" },
    ["docs"],
    'documents: "docs" holds no document that can be read: docs/b.md is an empty document. Write something into it, or remove it.',
  ],
  [
    "two documents of one id",
    { "x/a.md": "a", "y/a.md": "b" },
    ["x", "y"],
    'x/a.md and y/a.md would both be the document "a.md". Rename one, or name a folder that holds both.',
  ],
  [
    "a binary file",
    { "a.txt": new Uint8Array(300) },
    ["a.txt"],
    "a.txt is no text: its bytes are of no encoding. Convert it, or leave it out.",
  ],
])("%s gets one line", async (_name, files, paths, message) => {
  await write(files);
  const error = await readDocuments({ sources: paths, folder }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toBe(message.replace("FOLDER", folder));
});
