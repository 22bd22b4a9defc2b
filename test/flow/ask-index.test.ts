// Questions to an index of files: quoted, or written by a server's model whose citations are checked.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { indexDocuments, openAsking, type Environment } from "../../src/index.ts";

const environment: Environment = {
  modelsFolder: "/nowhere",
  extraFolders: [],
  threads: 1,
  memoryBytes: 2 ** 30,
  contextLength: 2048,
  secret: () => undefined,
};
let folder: string;
let server: Server;
let said: string;
const prompts: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-ask-"));
  await writeFile(
    join(folder, "deposits.md"),
    "# Deposits\n\nThe deposit for a Skiff is two monthly payments. It comes back within 14 days.",
  );
  await writeFile(join(folder, "depots.md"), "# Depots\n\nThe depot is in the harbour. It opens at eight on weekdays.");
  for await (const _event of indexDocuments({ index: join(folder, "index"), documents: ["*.md"], folder, embedding: "none", environment }));
  prompts.length = 0;
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => (text += piece.toString()));
    request.on("end", () => {
      prompts.push(text);
      const choices = [{ index: 0, message: { role: "assistant", content: said }, finish_reason: "stop" }];
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ choices, usage: { prompt_tokens: 9, completion_tokens: 9, total_tokens: 18 } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const open = () =>
  openAsking({
    index: join(folder, "index"),
    environment,
    model: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, model: "test" },
  });

test("without a model the best sentence is quoted, with document, characters and date", async () => {
  await using asking = await open();
  const given = await asking.ask("What is the deposit for a Skiff?");
  expect(given.output).toBe("The deposit for a Skiff is two monthly payments [1].");
  expect(given.sources[0]).toMatchObject({
    number: 1,
    cited: true,
    document: "deposits.md",
    start: 0,
    modified: expect.stringMatching(/^20\d\d-/u),
  });
  expect(prompts).toEqual([]);
});

test("a model's citations are checked: one that does not hold is dropped, and the sentence cites what does", async () => {
  said = "The deposit is two monthly payments [1]. The depot is in the harbour [1]. It rains [2].";
  await using asking = await open();
  const given = await asking.ask("Where is the depot, and what is the deposit for a Skiff?", { by: "model" });
  expect(given.citations).toEqual({ given: 3, dropped: 2 });
  const [deposits, depots] = ["deposits.md", "depots.md"].map((id) => given.sources.find(({ document }) => document === id)!.number);
  expect(given.sentences.map(({ citations }) => citations)).toEqual([[deposits], [depots], []]);
  expect(prompts[0]).toContain("Cite the passage");
});

test("turns before the question decide what is searched for", async () => {
  await using asking = await open();
  const history = [
    { role: "user", content: "Where is the depot?" },
    { role: "assistant", content: "In the harbour [1]." },
  ];
  const given = await asking.ask("When does it open?", { history });
  expect(given.query).toBe("Where is the depot? When does it open?");
  expect(given.output).toContain("It opens at eight on weekdays [");
});

test("what the documents do not say is said so", async () => {
  await using asking = await open();
  const given = await asking.ask("Do zebras eat bread?");
  expect(given).toMatchObject({ output: "The documents do not say.", abstained: true, sources: [], citations: { given: 0, dropped: 0 } });
});
