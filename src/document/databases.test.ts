// Queries over SQLite and Postgres as documents.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import initialise from "sql.js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findPostgres, startPostgres } from "../../test/support/postgres.ts";
import type { DocumentSource } from "../task.ts";
import { connect } from "./postgres.ts";
import { readDocuments } from "./read-all.ts";

const statements = `
  create table boots (sku text, name text, price numeric, stock integer, kind text, note text);
  insert into boots values ('B/1', 'Winter boot', 89.5, 12345678901, 'warm', 'Lined with wool.'), ('B/2', 'Rubber boot', 19, null, 'wet', ''), ('B/3', 'Felt boot', 45, 3, 'warm', 'Keep dry | always');
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-databases-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const read = async (source: DocumentSource, secret?: (name: string) => string | undefined) => {
  const { documents } = await readDocuments({ sources: [source], folder, ...(secret && { secret }) });
  return documents.map(({ id, title, text }) => ({ id, title, text }));
};

/** The same of every database; `source` makes one of a query. */
function conformance(source: (query: string, fields?: object) => DocumentSource, prefix: string): void {
  test("a row is a document: a line for each column that says something", async () => {
    expect(await read(source("select * from boots order by sku limit 2", { id: "sku", title: "name" }))).toEqual([
      {
        id: `${prefix}/B_1`,
        title: "Winter boot",
        text: "sku: B/1\nname: Winter boot\nprice: 89.5\nstock: 12345678901\nkind: warm\nnote: Lined with wool.",
      },
      { id: `${prefix}/B_2`, title: "Rubber boot", text: "sku: B/2\nname: Rubber boot\nprice: 19\nkind: wet" },
    ]);
  });

  test("a single column is the text itself, named by its number", async () => {
    expect(await read(source("select note from boots where sku = 'B/1'"))).toEqual([
      { id: `${prefix}/1`, title: "1", text: "Lined with wool." },
    ]);
  });

  test("a group of rows is a table", async () => {
    expect(await read(source("select kind, name, note from boots order by sku", { group: "kind" }))).toEqual([
      {
        id: `${prefix}/warm`,
        title: "warm",
        text: "# warm\n\n| name | note |\n| --- | --- |\n| Winter boot | Lined with wool. |\n| Felt boot | Keep dry \\| always |",
      },
      { id: `${prefix}/wet`, title: "wet", text: "# wet\n\n| name | note |\n| --- | --- |\n| Rubber boot |  |" },
    ]);
  });

  test("rows of one name keep their places", async () => {
    expect((await read(source("select kind, name from boots order by sku", { id: "kind" }))).map(({ id }) => id)).toEqual([
      `${prefix}/warm`,
      `${prefix}/warm (2)`,
      `${prefix}/wet`,
    ]);
  });

  test("a query that fails and a column that is not there are one line", async () => {
    await expect(read(source("select nothing from boots"))).rejects.toThrow(/ refuses the query: .*nothing.*\. Mend the query/);
    await expect(read(source("select sku from boots", { id: "name" }))).rejects.toThrow(
      'gives no column "name": its columns are sku. Name one of them.',
    );
  });

  test("a query that gives nothing is told", async () => {
    await expect(read(source("select * from boots where price > 1000"))).rejects.toThrow("holds no document");
  });
}

describe("SQLite", () => {
  let bytes: Uint8Array;
  beforeAll(async () => {
    const { Database } = await initialise();
    const database = new Database();
    database.run(statements);
    bytes = database.export();
    database.close();
  });
  beforeEach(() => writeFile(join(folder, "shop.db"), bytes));

  conformance((query, fields) => ({ sqlite: "shop.db", query, ...fields }), "shop.db");

  test("nothing is written to the database", async () => {
    await expect(read({ sqlite: "shop.db", query: "delete from boots returning sku" })).resolves.toHaveLength(3);
    expect(await readFile(join(folder, "shop.db"))).toEqual(Buffer.from(bytes));
  });

  test("a database in write-ahead mode is read", async () => {
    const ahead = new Uint8Array(bytes);
    ahead[18] = ahead[19] = 2;
    await writeFile(join(folder, "shop.db"), ahead);
    expect(await read({ sqlite: "shop.db", query: "select count(*) as boots from boots" })).toEqual([
      { id: "shop.db/1", title: "1", text: "3" },
    ]);
  });

  test("what is no database, and a query without end, are one line each", async () => {
    await writeFile(join(folder, "text.db"), "no database");
    await expect(read({ sqlite: "text.db", query: "select 1" })).rejects.toThrow("text.db is no SQLite database. Name the file of one.");
    const endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n";
    await expect(readDocuments({ sources: [{ sqlite: "shop.db", query: endless }], folder, limits: { seconds: 2 } })).rejects.toThrow(
      "shop.db takes more than 2 seconds to read.",
    );
  });

  test("in a folder it is one of the files of other formats", async () => {
    await writeFile(join(folder, "a.md"), "text");
    const { notices } = await readDocuments({ sources: ["."], folder });
    expect(notices[0]).toMatch(/^documents: shop\.db left out: documents are /);
  });
}, 60_000);

const postgres = await findPostgres();

describe.skipIf("absent" in postgres)(
  `Postgres${"absent" in postgres ? ` (${postgres.absent})` : ""}`,
  () => {
    let server: Awaited<ReturnType<typeof startPostgres>>;
    beforeAll(async () => {
      if ("programs" in postgres) server = await startPostgres(postgres.programs);
      const sql = connect(server.url);
      await sql.unsafe(statements.replace("stock integer", "stock bigint"));
      await sql.end();
    }, 60_000);
    afterAll(async () => server[Symbol.asyncDispose]());

    conformance((query, fields) => ({ postgres: server.url, query, ...fields }), "postgres");

    test("dates, times, JSON and arrays are text", async () => {
      const query = `select date '2024-02-29' as day, timestamp '2024-02-29 12:30:00' as moment, '{"a": [1]}'::jsonb as data, array['x', 'y'] as list, true as yes`;
      expect(await read({ postgres: server.url, query, name: "types" })).toMatchInlineSnapshot(`
        [
          {
            "id": "types/1",
            "text": "day: 2024-02-29
        moment: 2024-02-29 12:30:00
        data: {"a":[1]}
        list: {x,y}
        yes: true",
            "title": "1",
          },
        ]
      `);
    });

    test("the address may stand in an environment variable, which must be there", async () => {
      const source = { postgres: "$SHOP", query: "select 1 as one" };
      expect(await read(source, (name) => (name === "SHOP" ? server.url : undefined))).toEqual([
        { id: "postgres/1", title: "1", text: "1" },
      ]);
      await expect(read(source)).rejects.toThrow(
        "documents: the environment variable SHOP is not set. Set it to the address of the database.",
      );
    });

    test("nothing can be written, and nothing runs without end", async () => {
      await expect(read({ postgres: server.url, query: "delete from boots returning sku" })).rejects.toThrow(/read-only transaction/);
      const source = { postgres: server.url, query: "select pg_sleep(30)::text" };
      await expect(readDocuments({ sources: [source], folder, limits: { seconds: 1 } })).rejects.toThrow(/statement timeout/);
    });
  },
  60_000,
);

test("a database that is not there is one line without its password", async () => {
  const source = { postgres: "postgres://me:secret@localhost:1/shop", query: "select 1", name: "shop" };
  await expect(read(source)).rejects.toThrow("documents: shop can't be reached (ECONNREFUSED). Start it, or mend its address.");
});
