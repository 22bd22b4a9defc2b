// How many words of docling's reviewed Markdown are in what is read from the same files, for each format; order and layout don't count.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { readDocuments } from "../src/document/read-all.ts";
import { words } from "../src/util/words.ts";
import { type BenchOptions, figure, printTable, readArguments } from "./bench.ts";

const formats = ["pdf", "docx", "pptx", "xlsx", "odf", "html", "epub", "md", "csv"] as const;
const target = 0.97;

interface FileRecall {
  readonly name: string;
  readonly found: number;
  readonly words: number;
  readonly missing: readonly string[];
}

/** `--files` lists each file that lacks a word, with its first missing words. */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const { files: listFiles } = readArguments(given, { files: { type: "boolean" } });
  const results: { readonly format: string; readonly files: readonly FileRecall[]; readonly seconds: number }[] = [];
  for (const format of formats) {
    const started = performance.now();
    const files = await recallsOf(join(data, "doc_fixtures_docling", format));
    results.push({ format, files, seconds: (performance.now() - started) / 1000 });
  }
  const rows = results.map(({ format, files, seconds }) => ({ format, files: files.length, ...totals(files), seconds }));
  console.log(`share of the reference's words that is read, every occurrence counted; wanted: ${target} on every format`);
  printTable(
    ["format", "files", "words", "recall", "lowest file", "seconds"],
    rows.map(({ format, files, words: count, recall, lowest, seconds }) => [
      format,
      String(files),
      String(count),
      figure(recall),
      figure(lowest),
      seconds.toFixed(2),
    ]),
  );
  if (listFiles === true)
    for (const { format, files } of results)
      for (const { name, found, words: count, missing } of files.filter((file) => file.missing.length > 0))
        console.log(`${format} ${name} ${found}/${count}: ${missing.slice(0, 12).join(" ")}`);
  if (json) console.log(JSON.stringify({ bench: "documents", target, rows, met: rows.every(({ recall }) => recall >= target) }));
}

async function recallsOf(folder: string): Promise<FileRecall[]> {
  const names = (await readdir(join(folder, "sources"))).filter((name) => referenceOf(folder, name) !== undefined).sort();
  const { documents } = await readDocuments({ sources: names.map((name) => `*${name.slice(1)}`), folder: join(folder, "sources") });
  const texts = new Map(documents.map(({ id, text }) => [id, text]));
  return Promise.all(names.map(async (name) => recall(name, await readFile(referenceOf(folder, name)!, "utf8"), texts.get(name) ?? "")));
}

function referenceOf(folder: string, name: string): string | undefined {
  const names = [`${name}.md`, ...(folder.endsWith("pdf") ? [`${name.slice(0, -extname(name).length)}.md`] : [])];
  return names.map((one) => join(folder, "groundtruth", one)).find((path) => existsSync(path));
}

function recall(name: string, reference: string, text: string): FileRecall {
  const expected = words(plain(reference));
  const left = new Map<string, number>();
  for (const word of words(plain(text))) left.set(word, (left.get(word) ?? 0) + 1);
  const missing = expected.filter((word) => {
    const count = left.get(word) ?? 0;
    left.set(word, count - 1);
    return count <= 0;
  });
  return { name, found: expected.length - missing.length, words: expected.length, missing };
}

const entities: { readonly [name: string]: string } = { lt: "<", gt: ">", amp: "&", quot: '"' };

/**
 * Without comments, targets of links, escapes and entities: they are Markdown's, not what the document shows. Dates without a time have
 * none: the reference writes midnight.
 */
function plain(markdown: string): string {
  return markdown
    .replaceAll(/<!--[\s\S]*?-->/g, " ")
    .replaceAll(/\]\((?:[^()\s]|\([^()]*\))*\)/g, "] ")
    .replaceAll(/(?<=\d{4}-\d\d-\d\d) 00:00:00/g, "")
    .replaceAll(/\\([_*#<>$[\]`|!.()+-])/g, "$1")
    .replaceAll(/&(lt|gt|amp|quot);/g, (_, name: string) => entities[name]!);
}

function totals(files: readonly FileRecall[]): { readonly words: number; readonly recall: number; readonly lowest: number } {
  const sum = (pick: (file: FileRecall) => number): number => files.reduce((total, file) => total + pick(file), 0);
  return {
    words: sum((file) => file.words),
    recall: sum((file) => file.found) / sum((file) => file.words),
    lowest: Math.min(...files.map((file) => file.found / Math.max(1, file.words))),
  };
}
