import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { importPackage } from "./import-package.ts";

const absent = () => Promise.reject(new Error("not beside"));

async function folderWith(name: string, files: { readonly [file: string]: string }) {
  const folder = await mkdtemp(join(tmpdir(), "sartor-packages-"));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(folder, "node_modules", name), { recursive: true });
    await writeFile(join(folder, "node_modules", name, file), text);
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

test("what lies beside is taken, whatever the folder holds", async () => {
  await using made = await folderWith("kept", { "package.json": '{"main":"a.js"}', "a.js": "exports.from = 'folder'" });
  expect(await importPackage({ name: "kept", beside: async () => ({ from: "beside" }), folder: made.folder })).toEqual({ from: "beside" });
});

test.each([
  ["CommonJS", { "package.json": '{"name":"kept","main":"a.js"}', "a.js": "exports.from = 'folder'" }],
  ["ESM", { "package.json": '{"name":"kept","type":"module","exports":"./a.js"}', "a.js": "export const from = 'folder'" }],
])("a package of the folder is found: %s", async (_kind, files) => {
  await using made = await folderWith("kept", files);
  const found = await importPackage<{ from: string }>({ name: "kept", beside: absent, folder: made.folder });
  expect(found.from).toBe("folder");
});

test("in neither place: the first reason", async () => {
  await using made = await folderWith("other", { "package.json": "{}" });
  await expect(importPackage({ name: "kept", beside: absent, folder: made.folder })).rejects.toThrow("not beside");
  await expect(importPackage({ name: "kept", beside: absent, folder: undefined })).rejects.toThrow("not beside");
});

test("a package that is there and breaks says why", async () => {
  await using made = await folderWith("kept", { "package.json": '{"main":"a.js"}', "a.js": "throw new Error('wrong processor')" });
  await expect(importPackage({ name: "kept", beside: absent, folder: made.folder })).rejects.toThrow("wrong processor");
});
