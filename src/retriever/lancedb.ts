// Vectors in LanceDB, by URI: a folder, s3:// or gs://. The only importer of @lancedb/lancedb, which is loaded when first opened.
import type * as lancedb from "@lancedb/lancedb";
import type { Connection, Table } from "@lancedb/lancedb";
import { UserError } from "../errors.ts";
import { importPackage } from "../util/import-package.ts";
import { byScore, type Scored } from "./scored.ts";
import type { VectorQuery, VectorRow, VectorStore } from "./vector-store.ts";

type Lance = typeof lancedb;

export interface LanceStoreOptions {
  readonly uri: string;
  readonly table: string;
  readonly dimensions: number;
  /** Where `sartor setup local` put LanceDB, tried when it does not lie beside this package. */
  readonly packagesFolder?: string | undefined;
  /** Rows from which searches go through an IVF_FLAT index: below, comparing every row is as quick, and a change costs nothing more. */
  readonly indexFrom?: number;
}

/** Writes after which small files are joined and new rows enter the index. Until then they are found by comparing. */
const WRITES_UNTIL_OPTIMISED = 64;
const PARTITIONS_SEARCHED = 20;
const REMOVED_TOGETHER = 1000;

/**
 * The table of that name, made at the first upsert. A write that is cut off leaves the table as it was before it.
 * @throws {UserError} if LanceDB is not installed.
 */
export async function lanceStore({
  uri,
  table: name,
  dimensions,
  packagesFolder,
  indexFrom = 50_000,
}: LanceStoreOptions): Promise<VectorStore> {
  const lance = await load(packagesFolder);
  const connection = await lance.connect(uri);
  const table = (await connection.tableNames()).includes(name) ? await connection.openTable(name) : undefined;
  const indexed = table !== undefined && (await table.listIndices()).length > 0;
  return new LanceStore({ lance, connection, name, dimensions, indexFrom }, table, indexed);
}

interface Opened {
  readonly lance: Lance;
  readonly connection: Connection;
  readonly name: string;
  readonly dimensions: number;
  readonly indexFrom: number;
}

class LanceStore implements VectorStore {
  readonly #opened: Opened;
  #table: Table | undefined;
  #indexed: boolean;
  #writes = 0;

  constructor(opened: Opened, table: Table | undefined, indexed: boolean) {
    this.#opened = opened;
    this.#table = table;
    this.#indexed = indexed;
  }

  async upsert(rows: readonly VectorRow[]): Promise<void> {
    if (rows.length === 0) return;
    const { lance, connection, name, dimensions } = this.#opened;
    const data = lance.makeArrowTable(rows.map((row) => plain(row, dimensions)));
    if (this.#table === undefined) this.#table = await connection.createTable(name, data);
    else await this.#table.mergeInsert("id").whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(data);
    await this.#written(this.#table);
  }

  async remove(ids: readonly string[]): Promise<void> {
    if (this.#table === undefined || ids.length === 0) return;
    for (let from = 0; from < ids.length; from += REMOVED_TOGETHER) {
      await this.#table.delete(
        `id IN (${ids
          .slice(from, from + REMOVED_TOGETHER)
          .map(quoted)
          .join(", ")})`,
      );
    }
    await this.#written(this.#table);
  }

  async search({ vector, k, exact = false }: VectorQuery): Promise<Scored[]> {
    if (this.#table === undefined || k < 1) return [];
    const query = this.#table.query().nearestTo(vector).distanceType("dot").nprobes(PARTITIONS_SEARCHED);
    // Naming `_distance` keeps LanceDB from writing a warning for every query.
    const rows: unknown[] = await (exact ? query.bypassVectorIndex() : query).select(["id", "_distance"]).limit(k).toArray();
    return (rows as { id: string; _distance: number }[]).map(({ id, _distance }) => ({ id, score: 1 - _distance })).sort(byScore);
  }

  async ids(): Promise<string[]> {
    const rows: unknown[] = this.#table === undefined ? [] : await this.#table.query().select(["id"]).toArray();
    return (rows as { id: string }[]).map(({ id }) => id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#table?.close();
    this.#opened.connection.close();
  }

  async #written(table: Table): Promise<void> {
    this.#writes++;
    if (!this.#indexed && (await table.countRows()) >= this.#opened.indexFrom) {
      await table.createIndex("vector", { config: this.#opened.lance.Index.ivfFlat({ distanceType: "dot" }) });
      this.#indexed = true;
    } else if (this.#writes % WRITES_UNTIL_OPTIMISED === 0) {
      await table.optimize();
    }
  }
}

function plain({ id, vector }: VectorRow, dimensions: number): { id: string; vector: number[] } {
  if (vector.length !== dimensions) throw new Error(`A vector of ${vector.length} numbers for "${id}"; this store holds ${dimensions}.`);
  return { id, vector: Array.from(vector) };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

async function load(packagesFolder: string | undefined): Promise<Lance> {
  try {
    return await importPackage({ name: "@lancedb/lancedb", beside: () => import("@lancedb/lancedb"), folder: packagesFolder });
  } catch (cause) {
    throw new UserError(
      "LanceDB, which keeps the vectors of more than 50,000 passages, is not installed. To install it, run: sartor setup local",
      { cause },
    );
  }
}
