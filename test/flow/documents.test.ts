// Documents of several formats through a whole task: compared, asked, cited with their pages.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compare, openServed, pagesNamed } from "../../src/index.ts";
import { docxOf, paragraph, pdfOf } from "../support/packed-files.ts";
import { tinyEnvironment, writeTinyTask } from "../support/tiny-task.ts";

let folder: string;
const told: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-flow-documents-"));
  await writeTinyTask({ folder, output: "text", strategies: ["best-passage"] });
  const pages = [
    ["The shed was built in the year of the great flood."],
    ["Every pedal has the number nine. A pedal is kept on the shelf."],
  ];
  await writeFile(join(folder, "docs", "manual.pdf"), pdfOf(pages));
  await writeFile(join(folder, "docs", "lock.docx"), docxOf(paragraph("The spare key hangs behind the clock.")));
  await writeFile(join(folder, "docs", "scan.pdf"), pdfOf([[]]));
  const running = compare({ path: folder, environment: tinyEnvironment, id: "run", now: new Date(0), effort: "brief" });
  for (let step = await running.next(); step.done !== true; step = await running.next())
    if (step.value.kind === "task") told.push(...step.value.notices);
}, 120_000);
afterAll(async () => rm(folder, { recursive: true, force: true }));

test("a file that can't be read is one notice of the comparison", () => {
  expect(told.filter((notice) => notice.startsWith("documents:"))).toEqual([
    "documents: docs/scan.pdf left out: it holds one page of pictures and no text: it is a scan. Run text recognition (OCR) over it.",
  ]);
});

test("an answer cites the document and the pages of its passages, exactly", async () => {
  await using served = await openServed({ path: folder, environment: tinyEnvironment });
  const { passages } = await served.ask({ input: "What number has the pedal?" });
  const text = served.task.documents.find(({ id }) => id === "manual.pdf")!.text;
  const [first] = passages;
  expect({ document: first!.document, pages: pagesNamed(first!) }).toEqual({ document: "manual.pdf", pages: "pages 1-2" });
  expect(text.slice(first!.start, first!.end)).toBe(first!.text);
  const second = first!.pages![1]!;
  expect(text.slice(second.start, second.end)).toContain("Every pedal has the number nine.");
  const key = (await served.ask({ input: "Where does the spare key hang?" })).passages[0]!;
  expect({ document: key.document, text: key.text, pages: pagesNamed(key) }).toEqual({
    document: "lock.docx",
    text: "The spare key hangs behind the clock.",
    pages: "",
  });
}, 60_000);

test("what was read of a file is kept for the next time", async () => {
  expect(await readdir(join(folder, ".sartor", "documents"))).toHaveLength(2);
});
