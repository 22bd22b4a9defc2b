// Fetching from a hub on this machine that cuts connections, lies and falls silent.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { CatalogueEntry } from "./catalogue.ts";
import { fetchEntry, type FetchEvent, fetchModel } from "./fetch-model.ts";
import { findEntry, listModels, removeModel } from "./model-files.ts";

const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7 + (at >> 8)) % 256));
const sha256 = createHash("sha256").update(content).digest("hex");
const patience = { answer: 20_000, stall: 20_000 };
vi.setConfig({ testTimeout: 60_000 });

const entry: CatalogueEntry = {
  name: "tiny",
  kind: "language",
  licence: "Apache-2.0",
  parameters: 1,
  contextLength: 1,
  files: [{ name: "tiny.gguf", bytes: content.length, sha256 }],
  mirrors: [{ kind: "hub", repository: "somebody/tiny" }],
  tried: true,
};

let modelsFolder: string;
let server: Server | undefined;
beforeEach(async () => {
  modelsFolder = await mkdtemp(join(tmpdir(), "sartor-fetch-"));
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(modelsFolder, { recursive: true, force: true });
});

async function hub(answer: RequestListener): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A hub that answers ranges; each answer may be cut after some bytes. */
function honest(ranges: string[], cuts: number[] = []): RequestListener {
  return (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    ranges.push(`${request.url} from ${from}`);
    const part = content.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { "content-length": part.length });
    const cut = cuts.shift();
    if (cut === undefined) response.end(part);
    else response.write(part.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
  };
}

async function events(options: Partial<Parameters<typeof fetchEntry>[0]> = {}): Promise<FetchEvent[]> {
  const all: FetchEvent[] = [];
  for await (const event of fetchEntry({ entry, modelsFolder, patience, ...options })) all.push(event);
  return all;
}

const path = (): string => join(modelsFolder, "tiny", "tiny.gguf");

test("a model is fetched with progress, then found without asking anybody", async () => {
  const asked: string[] = [];
  const hubUrl = await hub(honest(asked));
  const seen = await events({ hubUrl });
  expect(seen.at(0)).toEqual({ kind: "mirror", mirror: "hub somebody/tiny" });
  const progress = seen.filter((event) => event.kind === "progress");
  expect(progress.at(-1)).toEqual({ kind: "progress", file: "tiny.gguf", received: content.length, total: content.length });
  const file = { name: "tiny.gguf", path: path(), bytes: content.length, sha256 };
  expect(seen.at(-1)).toEqual({ kind: "done", model: { entry, files: [file] } });
  expect((await readFile(path())).equals(content)).toBe(true);
  expect(await events({ hubUrl })).toEqual([{ kind: "done", model: { entry, files: [file] } }]);
  expect(asked).toEqual(["/somebody/tiny/resolve/main/tiny.gguf from 0"]);
  expect((await readdir(join(modelsFolder, "tiny"))).toSorted()).toEqual(["checked.json", "tiny.gguf"]);
});

test("who hears that a model is here may write beside it at once: the folder is free again", async () => {
  const found: (readonly [string, readonly string[]])[] = [];
  for await (const event of fetchEntry({ entry, modelsFolder, patience, hubUrl: await hub(honest([])) })) {
    found.push([event.kind, await readdir(join(modelsFolder, "tiny"))]);
  }
  expect(found.at(-1)).toEqual(["done", ["checked.json", "tiny.gguf"]]);
});

test("a connection that is cut goes on where it stopped", async () => {
  const asked: string[] = [];
  await events({ hubUrl: await hub(honest(asked, [100_000, 50_000])) });
  expect((await readFile(path())).equals(content)).toBe(true);
  const starts = asked.map((one) => Number(one.split(" ").at(-1)));
  expect(starts).toHaveLength(3);
  expect(starts[0]).toBe(0);
  expect(starts[1]).toBeGreaterThan(0);
  expect(starts[2]).toBeGreaterThan(starts[1] ?? 0);
});

test("a fetch that was stopped is gone on with by the next, and leaves no half file under the final name", async () => {
  const asked: string[] = [];
  const controller = new AbortController();
  const hubUrl = await hub(honest(asked, [100_000]));
  const stopped = (async () => {
    for await (const event of fetchEntry({ entry, modelsFolder, patience, hubUrl, signal: controller.signal })) {
      if (event.kind === "progress" && event.received > 50_000) controller.abort(new Error("stopped"));
    }
  })();
  await expect(stopped).rejects.toThrow("stopped");
  expect(await findEntry({ entry, modelsFolder })).toBeUndefined();
  expect(await readdir(join(modelsFolder, "tiny"))).not.toContain("tiny.gguf");
  await events({ hubUrl });
  expect((await readFile(path())).equals(content)).toBe(true);
  expect(asked.at(-1)).not.toMatch(/ 0$/);
});

test("bytes with another hash are not taken, and every mirror's reason is told", async () => {
  const other = Buffer.from(content);
  other[5] = (other[5] ?? 0) ^ 1;
  const hubUrl = await hub((request, response) => {
    if (request.url?.startsWith("/gone") === true) response.writeHead(404).end();
    else response.end(other);
  });
  const two: CatalogueEntry = { ...entry, mirrors: [{ kind: "hub", repository: "gone/tiny" }, ...entry.mirrors] };
  const failure = events({ entry: two, hubUrl });
  await expect(failure).rejects.toMatchObject({ name: "UserError" });
  await expect(failure).rejects.toThrow(/hub gone\/tiny: HTTP 404.*hub somebody\/tiny: tiny\.gguf has the hash .*, not .*SARTOR_MODELS/s);
  expect(await findEntry({ entry, modelsFolder })).toBeUndefined();
});

test.each([
  ["does not answer", { ...patience, answer: 300 }, () => undefined, "no answer in 0.3 s"],
  [
    "stops in the middle",
    { ...patience, stall: 300 },
    (_request, response) => response.writeHead(200, { "content-length": content.length }).write("some"),
    "no byte in 0.3 s",
  ],
  ["wants a token", patience, (_request, response) => response.writeHead(401).end(), "HF_TOKEN"],
] as [string, typeof patience, RequestListener, string][])(
  "a hub that %s gives way to the next mirror",
  async (_, waiting, answer, reason) => {
    const hubUrl = await hub(answer);
    await expect(events({ hubUrl, patience: waiting })).rejects.toThrow(reason);
  },
);

test("a token is sent to the hub", async () => {
  const seen: (string | undefined)[] = [];
  const hubUrl = await hub((request, response) => {
    seen.push(request.headers.authorization);
    response.end(content);
  });
  await events({ hubUrl, hubToken: "secret" });
  expect(seen).toEqual(["Bearer secret"]);
});

test("of two that fetch at once one waits, and the file is fetched once", async () => {
  const asked: string[] = [];
  const hubUrl = await hub(honest(asked));
  const [first, second] = await Promise.all([events({ hubUrl }), events({ hubUrl })]);
  expect(first.at(-1)).toEqual(second.at(-1));
  expect(asked).toHaveLength(1);
});

test("the lock of a process that died is taken over", async () => {
  await mkdir(join(modelsFolder, "tiny"), { recursive: true });
  const lock = join(modelsFolder, "tiny", ".lock");
  await writeFile(lock, "dead");
  const { utimes } = await import("node:fs/promises");
  await utimes(lock, new Date(0), new Date(0));
  await events({ hubUrl: await hub(honest([])) });
  expect((await readFile(path())).equals(content)).toBe(true);
});

describe("where the hash is not known here", () => {
  const unknown: CatalogueEntry = { ...entry, files: [{ name: "tiny.gguf", bytes: 1000 }] };

  test("the hub's own is what the file must match", async () => {
    const stated = (hash: string): RequestListener => {
      return (request, response) => {
        response.setHeader("x-linked-etag", `"${hash}"`);
        if (request.method === "HEAD") response.writeHead(302, { location: "/elsewhere" }).end();
        else response.end(content);
      };
    };
    await expect(events({ entry: unknown, hubUrl: await hub(stated("0".repeat(64))) })).rejects.toThrow("has the hash");
    server?.close();
    const done = (await events({ entry: unknown, hubUrl: await hub(stated(sha256)) })).at(-1);
    expect(done).toMatchObject({ kind: "done", model: { files: [{ sha256, bytes: content.length }] } });
  });
});

test("a folder that somebody filled is used as it is, and a file with another hash in it is not", async () => {
  const extra = join(modelsFolder, "extra");
  await mkdir(extra);
  await writeFile(join(extra, "tiny.gguf"), content);
  const found = await findEntry({ entry, modelsFolder, extraFolders: [extra] });
  expect(found?.files[0]?.path).toBe(join(extra, "tiny.gguf"));
  await writeFile(join(extra, "tiny.gguf"), Buffer.alloc(content.length));
  expect(await findEntry({ entry, modelsFolder, extraFolders: [extra] })).toBeUndefined();
});

test("a file that was changed after it was checked is not believed", async () => {
  await events({ hubUrl: await hub(honest([])) });
  await writeFile(path(), Buffer.alloc(content.length));
  expect(await findEntry({ entry, modelsFolder })).toBeUndefined();
});

test("models are listed and removed by name", async () => {
  const listed = await listModels({ modelsFolder });
  expect(listed[0]?.entry.name).toBe("smollm2-135m-instruct");
  expect(listed.every(({ local }) => local === undefined)).toBe(true);
  await expect(removeModel({ name: "qwen3-4b", modelsFolder })).rejects.toThrow("nothing to remove");
  await mkdir(join(modelsFolder, "qwen3-4b"));
  await writeFile(join(modelsFolder, "qwen3-4b", "Qwen3-4B-Q4_K_M.gguf"), content);
  expect((await listModels({ modelsFolder })).find(({ entry }) => entry.name === "qwen3-4b")?.local?.files[0]?.sha256).toBe(sha256);
  expect(await removeModel({ name: "qwen3-4b", modelsFolder })).toBe(content.length);
});

test("an unknown name gets a suggestion", () => {
  expect(() => fetchModel({ name: "smollm2-135m-instuct", modelsFolder })).toThrow('Did you mean "smollm2-135m-instruct"?');
});
