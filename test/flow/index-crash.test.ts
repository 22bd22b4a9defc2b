// An index whose writer is killed at any moment is the one before or the one after, whole, and the next writer goes on at once.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openIndexWriter } from "../../src/retriever/index-writer.ts";
import { openIndex } from "../../src/retriever/open-index.ts";
import { wordVectors } from "../support/word-vectors.ts";

const script = new URL("../support/index-process.ts", import.meta.url).pathname;
/** Milliseconds after a commit at which the process is killed: at different moments of the next one. */
const moments = [0, 5, 12, 25];

test("kill -9 in the middle leaves the old index whole", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sartor-crash-"));
  try {
    for (const moment of moments) {
      const running = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), script, folder], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(running, "exit");
      await once(createInterface({ input: running.stdout }), "line");
      await sleep(moment);
      running.kill("SIGKILL");
      await exited;
      await expectWhole(folder);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);

async function expectWhole(folder: string): Promise<void> {
  const model = wordVectors();
  for (const exactUpTo of [50_000, 0]) {
    await using index = await openIndex({ folder, openEmbedding: async () => model, exactUpTo });
    const texts = (await index.search("bike", { method: "hybrid", k: 50 })).map((passage) => passage.text);
    expect(texts).toHaveLength(12);
    expect(new Set(texts).size).toBe(1);
    expect((await index.search("bike", { method: "bm25", k: 50 })).map((passage) => passage.document)).toHaveLength(12);
  }
  // Takes the lock of the killed one over, and clears away what it left.
  await using writer = await openIndexWriter({ folder, chunk: { words: 20, overlap: 0 }, embedding: { name: "word-vectors", model } });
  expect(writer.ids()).toHaveLength(12);
}
