import { describe, expect, test } from "vitest";
import { testVectorStore } from "../../test/conformance/vector-store.ts";
import { findPostgres, startPostgres } from "../../test/support/postgres.ts";
import { seededRandom } from "../util/random.ts";
import { pgvectorStore } from "./pgvector.ts";

const found = await findPostgres({ pgvector: true });
const absent = "absent" in found ? found.absent : undefined;
const programs = "programs" in found ? found.programs : "";

describe.skipIf(absent !== undefined)(`a real Postgres${absent === undefined ? "" : ` (skipped: ${absent})`}`, () => {
  testVectorStore("pgvector", async (dimensions) => {
    const server = await startPostgres(programs);
    const store = await pgvectorStore({ url: server.url, table: 'the "passages"', dimensions });
    const close = async (): Promise<void> => {
      await store[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    };
    return { store, close };
  });

  test("a table that is large enough is searched through an index, and finds rows added later at once", async () => {
    await using server = await startPostgres(programs);
    await using store = await pgvectorStore({ url: server.url, table: "indexed", dimensions: 8, indexFrom: 500 });
    const random = seededRandom(0);
    const unit = (): Float32Array => {
      const raw = Array.from({ length: 8 }, () => random.normal());
      return Float32Array.from(raw, (value) => value / Math.hypot(...raw));
    };
    await store.upsert(Array.from({ length: 1000 }, (_, index) => ({ id: `row-${index}`, vector: unit() })));
    const vector = unit();
    const exact = await store.search({ vector, k: 10, exact: true });
    expect(await store.search({ vector, k: 10 })).toEqual(exact);
    await store.upsert([{ id: "fresh", vector }]);
    expect(await store.search({ vector, k: 1 })).toEqual([{ id: "fresh", score: expect.closeTo(1, 5) }]);
    await using again = await pgvectorStore({ url: server.url, table: "indexed", dimensions: 8 });
    expect(await again.ids()).toHaveLength(1001);
  });
});

test("a server that is not there is a clear line without its password", async () => {
  const opening = pgvectorStore({ url: "postgres://me:secret@localhost:1/none", table: "t", dimensions: 2 });
  await expect(opening).rejects.toThrow("Postgres at postgres://me:...@localhost:1/none can't keep vectors");
});
