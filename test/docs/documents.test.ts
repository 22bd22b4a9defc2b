// docs/documents.md says what is: its task is one, its formats and limits are those of the code.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseSettings } from "../../src/data/settings-file.ts";
import { formatExtensions } from "../../src/document/formats.ts";
import { mediaExtensions } from "../../src/media/formats.ts";
import { defaultLimits, size } from "../../src/document/limits.ts";

const page = readFileSync(new URL("../../docs/documents.md", import.meta.url), "utf8");

test("the task of docs/documents.md is one", () => {
  const { settings } = parseSettings(/```yaml\n([\s\S]*?)```/.exec(page)![1]!, "sartor.yaml");
  expect(settings.documents.map((source) => (typeof source === "string" ? source : Object.keys(source)[0]))).toEqual([
    "handbook/",
    "manuals/**/*.pdf",
    "https://example.com/opening-hours",
    "sqlite",
    "postgres",
    "graph",
  ]);
});

test("every format stands in its table, and no other", () => {
  const rows = page.slice(page.indexOf("## Formats"), page.indexOf("A file without such a name"));
  expect([...rows.matchAll(/`(\.\w+)`/g)].map(([, extension]) => extension!).sort()).toEqual([...formatExtensions].sort());
});

test("every format of pictures and sounds stands where they are told", () => {
  const told = /takes pictures \((.*?)\) or sounds \((.*?)\)/s.exec(page)!;
  expect([...`${told[1]} ${told[2]}`.matchAll(/`(\.\w+)`/g)].map(([, extension]) => extension!)).toEqual([...mediaExtensions]);
});

test("the limits are those of the code", () => {
  const { fileBytes, unpackedBytes, entries, depth, nesting, characters, memoryBytes, seconds } = defaultLimits;
  const rows = page.slice(page.indexOf("| limit |"), page.indexOf("| rows of a query"));
  const stated = [...rows.matchAll(/^\| .* \| (.+) \|$/gm)].slice(2).map(([, value]) => value);
  const million = `${characters / 1e6} million`;
  expect(stated).toEqual([
    size(fileBytes),
    size(unpackedBytes),
    entries.toLocaleString("en"),
    String(depth),
    nesting.toLocaleString("en"),
    million,
    size(memoryBytes),
    String(seconds),
  ]);
});
