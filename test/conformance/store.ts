// What every store must do. Each implementation runs this suite from its own test file.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Store } from "../../src/store.ts";

export interface OpenStore {
  readonly store: Store;
  close(): Promise<void>;
}

export function testStore(name: string, open: () => Promise<OpenStore>): void {
  describe(`${name} as a store`, () => {
    let opened: OpenStore;
    let store: Store;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(async () => opened.close());

    test("a text that was never written is undefined", async () => {
      expect(await store.readText("a/b.txt")).toBeUndefined();
      expect(await store.readLines("a/b.jsonl")).toEqual([]);
      expect(await store.list("")).toEqual([]);
    });

    test("what is written is read back, and the last writing counts", async () => {
      await store.writeText("a/b.txt", "first");
      await store.writeText("a/b.txt", "ünïcode 🧵\r\n\nsecond");
      expect(await store.readText("a/b.txt")).toBe("ünïcode 🧵\r\n\nsecond");
      expect(await store.readText("a/b.txt/c")).toBeUndefined();
    });

    test("any text survives", async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
          await store.writeText("any", text);
          expect(await store.readText("any")).toBe(text);
        }),
        { numRuns: 20 },
      );
    });

    test("appended values come back as lines in order, also when nobody waits in between", async () => {
      const values = Array.from({ length: 30 }, (_, index) => ({ index, text: `line\n${index}` }));
      await Promise.all(values.map(async (value) => store.append("rows.jsonl", value)));
      expect(await store.readLines("rows.jsonl")).toEqual(values);
    });

    test("a last line cut short is dropped, and the next one does not grow onto it", async () => {
      const long = "x".repeat(200_000);
      await store.writeText("rows.jsonl", `{"row":1}\n{"row":12,"${long}`);
      expect(await store.readLines("rows.jsonl")).toEqual([{ row: 1 }]);
      await store.append("rows.jsonl", { row: 2 });
      expect(await store.readLines("rows.jsonl")).toEqual([{ row: 1 }, { row: 2 }]);
      await store.writeText("only.jsonl", "12");
      await store.append("only.jsonl", 3);
      expect(await store.readLines("only.jsonl")).toEqual([3]);
    });

    test("a broken line in the middle is named", async () => {
      await store.writeText("rows.jsonl", '{"row":1}\noops\n{"row":3}\n');
      await expect(store.readLines("rows.jsonl")).rejects.toThrow(/^Line 2 of .*rows\.jsonl is no JSON: oops\. Delete the file/);
    });

    test("undefined can't be appended", async () => {
      await expect(store.append("rows.jsonl", undefined)).rejects.toThrow(TypeError);
      expect(await store.readLines("rows.jsonl")).toEqual([]);
    });

    test("a list holds the keys below a folder, sorted, and nothing beside it", async () => {
      for (const key of ["runs/b/x", "runs/a", "runs/b/a", "runs-old/z", "top"]) await store.writeText(key, key);
      expect(await store.list("runs")).toEqual(["runs/a", "runs/b/a", "runs/b/x"]);
      expect(await store.list("runs/b/")).toEqual(["runs/b/a", "runs/b/x"]);
      expect(await store.list("")).toEqual(["runs-old/z", "runs/a", "runs/b/a", "runs/b/x", "top"]);
      expect(await store.list("run")).toEqual([]);
      expect(await store.list("top")).toEqual([]);
    });

    test("removing takes a file or all below a folder; removing nothing is no error", async () => {
      for (const key of ["runs/b/x", "runs/a", "runs-old/z"]) await store.writeText(key, key);
      await store.remove("runs");
      await store.remove("runs-old/z");
      await store.remove("never");
      expect(await store.list("")).toEqual([]);
    });

    test("a path is absolute, its folder is there, and a file written to it is part of the store", async () => {
      await store.writeText("before.txt", "before");
      const path = await store.path("weights/adapter.gguf");
      expect(isAbsolute(path)).toBe(true);
      await writeFile(path, "GGUF");
      expect(await store.readText("weights/adapter.gguf")).toBe("GGUF");
      expect(await store.list("")).toEqual(["before.txt", "weights/adapter.gguf"]);
      expect(await readFile(await store.path("before.txt"), "utf8")).toBe("before");
      await store.append("after.jsonl", 1);
      expect(await store.readLines("after.jsonl")).toEqual([1]);
      const folder = await store.path("index");
      await mkdir(join(folder, "deep"), { recursive: true });
      expect(dirname(folder)).toBe(dirname(await store.path("before.txt")));
    });

    test("a scope sees only what is below it, by keys of its own", async () => {
      await store.writeText("outside", "secret");
      const scope = store.scope("runs/one").scope("candidates");
      await scope.writeText("a.json", "{}");
      await scope.append("b.jsonl", 1);
      expect(await scope.list("")).toEqual(["a.json", "b.jsonl"]);
      expect(await store.list("runs")).toEqual(["runs/one/candidates/a.json", "runs/one/candidates/b.jsonl"]);
      expect(await scope.readText("outside")).toBeUndefined();
      await scope.remove("a.json");
      expect(await store.readText("runs/one/candidates/a.json")).toBeUndefined();
    });

    test.each(["", "..", "../outside", "a/../../outside", "a//b", "/etc/passwd", "a\\..\\b", "a b", "C:/x", "./a", "a/.", "~a", "ä"])(
      'the key "%s" is refused everywhere',
      async (key) => {
        const scope = store.scope("inside");
        const uses = [
          async () => scope.readText(key),
          async () => scope.writeText(key, "x"),
          async () => scope.append(key, 1),
          async () => scope.readLines(key),
          async () => scope.remove(key),
          async () => scope.path(key),
          async () => scope.scope(key),
          ...(key === "" ? [] : [async () => scope.list(key)]),
        ];
        for (const use of uses) await expect(use()).rejects.toThrow(RangeError);
      },
    );
  });
}
