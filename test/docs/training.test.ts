// docs/training.md: the printed graph is the one that the code builds, and the commands run (with a tiny model in the place of the real one).
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { print } from "../../src/graph/print.ts";
import type { DecoderConfig } from "../../src/nn/config.ts";
import { buildModel, trainingGraph } from "../../src/nn/programs.ts";
import { writeTinyLlama } from "../support/tiny-model.ts";

const page = new URL("../../docs/training.md", import.meta.url);
const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;

const twoLayers: DecoderConfig = {
  architecture: "llama",
  layers: 2,
  width: 64,
  headDim: 32,
  heads: 2,
  kvHeads: 1,
  hidden: 192,
  vocabulary: 512,
  context: 256,
  ropeBase: 10_000,
  epsilon: 1e-5,
  tied: true,
};

test("docs/training.md shows the graph that is built", async () => {
  const printed = print(trainingGraph(buildModel(twoLayers, { kind: "lora", rank: 8, alpha: 16 })));
  const text = await readFile(page, "utf8");
  const fresh = text.replace(/```graph\n[\s\S]*?```/u, () => `\`\`\`graph\n${printed}\n\`\`\``);
  await expect(fresh).toMatchFileSnapshot("../../docs/training.md");
});

test("every source file that docs/training.md names is there", async () => {
  const named = [...(await readFile(page, "utf8")).matchAll(/`(src\/[\w/.-]+)`/gu)].map(([, path]) => path!);
  expect(named.length).toBeGreaterThan(10);
  for (const path of named) expect(await stat(new URL(`../../${path}`, import.meta.url))).toBeDefined();
});

test("the commands of docs/training.md write what it says", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sartor-docs-"));
  try {
    await writeTinyLlama({ path: join(folder, "tiny.gguf") });
    const rows = Array.from({ length: 8 }, (_, index) => ({ prompt: `Is lamp ${index} red?`, completion: index % 2 ? "yes" : "no" }));
    await writeFile(join(folder, "train.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
    await mkdir(join(folder, "texts"));
    const lines = Array.from({ length: 60 }, (_, line) => `The keeper writes the number ${(line * 7) % 23} into the log.`);
    await writeFile(join(folder, "texts", "log.md"), lines.join("\n"));
    const [, block] = /```sh\n([\s\S]*?)```/u.exec(await readFile(page, "utf8"))!;
    for (const line of block!.trim().split("\n")) {
      const given = line.replace("smollm2-135m-instruct", "./tiny.gguf").split(" ").slice(1);
      const { stdout } = await promisify(execFile)(process.execPath, ["--import", import.meta.resolve("tsx"), main, ...given], {
        cwd: folder,
        env: { ...process.env, SARTOR_THREADS: "1" },
      });
      expect(stdout).toMatch(/epoch {2}loss[\s\S]* steps in [\s\S]*curve {2,}/u);
    }
    const written = async (name: string) => (await readdir(join(folder, name))).toSorted();
    expect(await written("tuned")).toEqual(["adapter.gguf", "curve.svg", "peft", "run.json", "training.jsonl"]);
    for (const name of ["pretrained", "continued"])
      expect(await written(name)).toEqual(["curve.svg", "model.gguf", "run.json", "training.jsonl"]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 180_000);
