import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { overridesFor, type PackageManifest, setupLocal } from "./setup.ts";

const versions = {
  "onnxruntime-node": "1.30.0",
  "node-llama-cpp": "3.22.1",
  "@lancedb/lancedb": "0.37.1",
  "apache-arrow": "18.1.0",
  "@huggingface/transformers": "4.3.1",
};
const overrides = {
  "@node-llama-cpp/linux-x64-cuda": "npm:empty",
  "@node-llama-cpp/linux-arm64": "npm:empty",
  "@node-llama-cpp/linux-armv7l": "npm:empty",
  "@lancedb/lancedb": { openai: "npm:empty" },
};
const manifest: PackageManifest = { devDependencies: versions, overrides };

let temp: string;
beforeEach(async () => void (temp = await mkdtemp(join(tmpdir(), "sartor-setup-"))));
afterEach(() => rm(temp, { recursive: true }));

async function put(modules: string, packages: { readonly [name: string]: string }): Promise<void> {
  for (const [name, version] of Object.entries(packages)) {
    await mkdir(join(modules, name), { recursive: true });
    await writeFile(join(modules, name, "package.json"), JSON.stringify({ name, version }));
  }
}

function setup(more: Partial<Parameters<typeof setupLocal>[0]> = {}) {
  const folder = join(temp, "local");
  const installed: string[] = [];
  const install = async (where: string): Promise<void> => {
    installed.push(where);
    await put(
      join(where, "node_modules"),
      (JSON.parse(await readFile(join(where, "package.json"), "utf8")) as { dependencies: typeof versions }).dependencies,
    );
  };
  const run = (): Promise<string> =>
    setupLocal({ folder, beside: [join(temp, "node_modules")], manifest, platform: "linux-x64", install, ...more });
  return { folder, installed, run };
}

test("the exact versions are installed with the overrides, once", async () => {
  const { folder, installed, run } = setup();
  expect(await run()).toBe(
    `Installed onnxruntime-node 1.30.0, node-llama-cpp 3.22.1, @lancedb/lancedb 0.37.1, apache-arrow 18.1.0, @huggingface/transformers 4.3.1 in ${folder}.`,
  );
  expect(JSON.parse(await readFile(join(folder, "package.json"), "utf8"))).toEqual({
    name: "sartor-local",
    private: true,
    dependencies: versions,
    overrides,
  });
  expect(await run()).toMatch(/^Nothing to install: .* are in /u);
  expect(installed).toEqual([folder]);
});

test("nothing is installed where the packages lie beside sartor, as in a clone", async () => {
  await put(join(temp, "node_modules"), versions);
  const { installed, run } = setup();
  expect([await run(), installed]).toEqual([expect.stringMatching(/are installed beside sartor\.$/u), []]);
});

test("a package in another version is installed again", async () => {
  const { folder, installed, run } = setup();
  await put(join(folder, "node_modules"), { ...versions, "apache-arrow": "17.0.0" });
  await run();
  expect(installed).toEqual([folder]);
});

test("versions of peer dependencies go before those of development", async () => {
  const { folder, run } = setup({ manifest: { ...manifest, peerDependencies: { "onnxruntime-node": "1.31.0" } } });
  await run();
  expect(JSON.parse(await readFile(join(folder, "package.json"), "utf8"))).toMatchObject({
    dependencies: { ...versions, "onnxruntime-node": "1.31.0" },
  });
});

test("an install that leaves something out is an error that names it", async () => {
  const { folder, run } = setup({ install: (where) => put(join(where, "node_modules"), { "node-llama-cpp": "3.22.1" }) });
  await expect(run()).rejects.toThrow(
    `npm ended without onnxruntime-node, @lancedb/lancedb, apache-arrow, @huggingface/transformers in ${folder}. Remove that folder and try again.`,
  );
});

test.each([
  ["linux-x64", []],
  ["linux-arm64", ["@node-llama-cpp/linux-arm64"]],
  ["linux-arm", ["@node-llama-cpp/linux-armv7l"]],
])("on %s the overrides keep its own build of llama.cpp", (platform, kept) => {
  const given = Object.keys(overridesFor(overrides, platform));
  expect(Object.keys(overrides).filter((name) => !given.includes(name))).toEqual(kept);
});
