import { join } from "node:path";
import { expect, test } from "vitest";
import { catalogue } from "./catalogue.ts";
import { defaultModelsFolder } from "./model-files.ts";

test.each([
  ["linux", { XDG_CACHE_HOME: "/cache" }, join("/cache", "sartor", "models")],
  ["linux", { XDG_CACHE_HOME: "" }, join("/home/ann", ".cache", "sartor", "models")],
  ["darwin", {}, join("/home/ann", "Library", "Caches", "sartor", "models")],
  ["win32", { LOCALAPPDATA: "/local" }, join("/local", "sartor", "models")],
] as const)("the folder for models on %s with %j", (platform, environment, folder) => {
  expect(defaultModelsFolder(environment, platform, "/home/ann")).toBe(folder);
});

test("the catalogue's names are its own, and a model that was tried has the hashes of its files", () => {
  expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
  const tried = catalogue.filter((entry) => entry.tried);
  expect(tried.map(({ name }) => name)).toEqual(["smollm2-135m-instruct", "all-minilm-l6-v2"]);
  for (const { sha256 } of tried.flatMap(({ files }) => files)) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
});
