import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testVectorStore } from "../../test/conformance/vector-store.ts";
import { seededRandom } from "../util/random.ts";
import { lanceStore } from "./lancedb.ts";
import type { VectorRow } from "./vector-store.ts";

testVectorStore("LanceDB", async (dimensions) => {
  const uri = await mkdtemp(join(tmpdir(), "sartor-lance-"));
  const store = await lanceStore({ uri, table: "passages", dimensions });
  const close = async (): Promise<void> => {
    await store[Symbol.asyncDispose]();
    await rm(uri, { recursive: true, force: true });
  };
  return { store, close };
});

describe("a LanceDB table", () => {
  let uri = "";
  beforeAll(async () => {
    uri = await mkdtemp(join(tmpdir(), "sartor-lance-"));
  });
  afterAll(() => rm(uri, { recursive: true, force: true }));

  const random = seededRandom(0);
  const unit = (centre: readonly number[], spread: number): Float32Array => {
    const raw = centre.map((value) => value + spread * random.normal());
    return Float32Array.from(raw, (value) => value / Math.hypot(...raw));
  };
  const centres = Array.from({ length: 20 }, () => Array.from({ length: 16 }, () => random.normal()));
  const rows: VectorRow[] = Array.from({ length: 2000 }, (_, index) => ({ id: `row-${index}`, vector: unit(centres[index % 20]!, 0.3) }));

  test("is there again when opened anew", async () => {
    await using store = await lanceStore({ uri, table: "kept", dimensions: 16 });
    await store.upsert(rows.slice(0, 3));
    await using again = await lanceStore({ uri, table: "kept", dimensions: 16 });
    expect((await again.ids()).sort()).toEqual(["row-0", "row-1", "row-2"]);
  });

  test("that is large enough is searched through an index, finds nearly all and rows added later at once", async () => {
    await using store = await lanceStore({ uri, table: "indexed", dimensions: 16, indexFrom: 1000 });
    await store.upsert(rows);
    const queries = rows.slice(0, 20).map(({ vector }) => vector);
    let shared = 0;
    for (const vector of queries) {
      const truth = new Set((await store.search({ vector, k: 10, exact: true })).map(({ id }) => id));
      shared += (await store.search({ vector, k: 10 })).filter(({ id }) => truth.has(id)).length;
    }
    expect(shared / 200).toBeGreaterThan(0.9);
    const fresh = {
      id: "fresh",
      vector: unit(
        centres[0]!.map((value) => -value),
        0.1,
      ),
    };
    await store.upsert([fresh]);
    expect(await store.search({ vector: fresh.vector, k: 1 })).toEqual([{ id: "fresh", score: expect.closeTo(1, 5) }]);
  });
});
