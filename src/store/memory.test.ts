import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { testStore } from "../../test/conformance/store.ts";
import { memoryStore } from "./memory.ts";

testStore("memory", async () => {
  const store = memoryStore();
  return { store, close: async () => store[Symbol.asyncDispose]() };
});

test("disposing of a memory store removes its temp folder", async () => {
  const store = memoryStore();
  await store.writeText("a", "a");
  const path = await store.path("a");
  expect(existsSync(path)).toBe(true);
  await store[Symbol.asyncDispose]();
  expect(existsSync(dirname(path))).toBe(false);
});
