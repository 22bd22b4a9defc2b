import { expect, test } from "vitest";
import { folderOfPattern, isPattern, patternToRegExp } from "./glob.ts";

test.each([
  ["docs/*.md", ["docs/a.md", "docs/a b.md"], ["docs/a.mdx", "docs/x/a.md", "a.md", "docsXa.md"]],
  ["docs/**/*.md", ["docs/a.md", "docs/x/y/a.md"], ["other/a.md"]],
  ["**/*.{md,html}", ["a.md", "x/y.html"], ["a.txt"]],
  ["docs/page-?.md", ["docs/page-1.md"], ["docs/page-12.md", "docs/page-/.md"]],
  ["[!a]*.md", ["b.md"], ["a.md"]],
  ["a,b+(c).{md,txt}", ["a,b+(c).md"], ["a.md"]],
  ["docs/**", ["docs/a", "docs/x/y"], ["docs", "doc/a"]],
])("%s", (pattern, matching, other) => {
  const expression = patternToRegExp(pattern);
  expect(matching.filter((path) => !expression.test(path))).toEqual([]);
  expect(other.filter((path) => expression.test(path))).toEqual([]);
});

test("a pattern's folder is what stands before its first wildcard", () => {
  expect(["docs/*.md", "**/a.md", "a/b/c?/d.md"].map(folderOfPattern)).toEqual(["docs", "", "a/b"]);
  expect(isPattern("docs/a.md")).toBe(false);
});
