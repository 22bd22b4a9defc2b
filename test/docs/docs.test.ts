// Docs are run: docs/cli.md is the --help text, and the README's own task works as written (with a tiny model in the place of the demo's).
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { allChains, strategies } from "../../src/strategy/registry.ts";
import { writeTinyTask } from "../support/tiny-task.ts";

const run = promisify(execFile);
const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const verbs = [
  "init",
  "plan",
  "compare",
  "report",
  "advise",
  "ask",
  "index",
  "search",
  "mcp",
  "serve",
  "tune",
  "pretrain",
  "models",
  "setup",
];

async function sartor(given: readonly string[], cwd?: string): Promise<string> {
  const { stdout } = await run(process.execPath, ["--import", import.meta.resolve("tsx"), main, ...given], {
    env: { ...process.env, COLUMNS: "80", SARTOR_THREADS: "1" },
    ...(cwd === undefined ? {} : { cwd }),
  });
  return stdout;
}

test("docs/cli.md is what --help prints", async () => {
  const helps = await Promise.all(
    [[], ...verbs.map((verb) => [verb])].map(
      async (verb) =>
        `## sartor${verb.map((name) => ` ${name}`).join("")}\n\n\`\`\`\n${(await sartor([...verb, "--help"])).trim()}\n\`\`\`\n`,
    ),
  );
  await expect(`# The command line\n\n${helps.join("\n")}`).toMatchFileSnapshot("../../docs/cli.md");
}, 120_000);

test("the README names every strategy, and every chain is made of them", async () => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const missing = strategies
    .filter(({ name }) => !["closed-book"].includes(name) && !readme.includes(`\`${name}\``))
    .map(({ name }) => name);
  expect(missing).toEqual([]);
  expect(allChains.flatMap((chain) => chain.split(" > ")).filter((name) => !strategies.some((one) => one.name === name))).toEqual([]);
});

test("the verbs of the README work in their order: plan, compare, report, advise, ask", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sartor-docs-"));
  try {
    await writeTinyTask({ folder, output: "text", strategies: ["zero-shot", "best-passage"] });
    expect(await sartor(["plan"], folder)).toMatch(/zero-shot \(tiny\)\s+run/u);
    const compared = await sartor(["compare", "--effort", "brief"], folder);
    expect(compared).toContain("best-passage");
    expect(await sartor(["report"], folder)).toBe(
      compared.replace(/Report: .*\n$/u, (await sartor(["report"], folder)).split("\n").at(-2)! + "\n"),
    );
    expect(await sartor(["advise"], folder)).toMatch(/retrieval/iu);
    expect(await sartor(["ask", "What does the brake cost?", "--candidate", "best-passage"], folder)).toMatch(
      /brake[\s\S]*Sources:[\s\S]*page0\.md/iu,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 180_000);

test("init makes a task of a folder of examples that plan can read", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sartor-docs-"));
  try {
    const lines = Array.from({ length: 40 }, (_, index) =>
      JSON.stringify({
        input: `message number ${index} about ${index % 2 ? "a brake" : "a bill"}`,
        output: index % 2 ? "repair" : "billing",
      }),
    );
    await writeFile(join(folder, "examples.jsonl"), lines.join("\n"));
    expect(await sartor(["init"], folder)).toContain("sartor.yaml");
    expect(await readFile(join(folder, "sartor.yaml"), "utf8")).toMatch(/labels/u);
    await expect(sartor(["init"], folder)).rejects.toThrow(/sartor\.yaml/u);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
