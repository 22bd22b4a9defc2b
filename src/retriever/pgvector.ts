// Vectors in Postgres with pgvector.
import postgres from "postgres";
import { UserError } from "../errors.ts";
import { byScore, type Scored } from "./scored.ts";
import type { VectorQuery, VectorRow, VectorStore } from "./vector-store.ts";

export interface PgvectorStoreOptions {
  /** As in postgres://user:password@host:5432/database. */
  readonly url: string;
  /** At most 63 bytes, Postgres' limit. */
  readonly table: string;
  readonly dimensions: number;
  /** Rows from which searches go through an IVF index; as in LanceDB. */
  readonly indexFrom?: number;
}

const PROBES = 20;
/** pgvector's advice up to a million rows. */
const ROWS_A_LIST = 1000;

/**
 * The table of that name, made with the extension when it is not there. Every change is a transaction: cut off, it leaves the table as
 * it was.
 * @throws {UserError} if the server does not answer, or has no pgvector.
 */
export async function pgvectorStore({ url, table, dimensions, indexFrom = 50_000 }: PgvectorStoreOptions): Promise<VectorStore> {
  const sql = postgres(url, { max: 4, onnotice: () => undefined });
  const name = `"${table.replaceAll('"', '""')}"`;
  try {
    await sql.unsafe("CREATE EXTENSION IF NOT EXISTS vector");
    await sql.unsafe(`CREATE TABLE IF NOT EXISTS ${name} (id text PRIMARY KEY, embedding vector(${dimensions}) NOT NULL)`);
  } catch (cause) {
    await sql.end();
    throw new UserError(
      `Postgres at ${withoutPassword(url)} can't keep vectors: ${messageOf(cause)}. It must run, and have pgvector installed.`,
      {
        cause,
      },
    );
  }
  return new PgvectorStore({ sql, table, name, dimensions, indexFrom });
}

interface Opened {
  readonly sql: postgres.Sql;
  readonly table: string;
  /** The same, quoted. */
  readonly name: string;
  readonly dimensions: number;
  readonly indexFrom: number;
}

class PgvectorStore implements VectorStore {
  readonly #opened: Opened;
  #indexed = false;

  constructor(opened: Opened) {
    this.#opened = opened;
  }

  async upsert(rows: readonly VectorRow[]): Promise<void> {
    if (rows.length === 0) return;
    const { sql, name, dimensions } = this.#opened;
    // A statement may name a row once.
    const latest = new Map(rows.map(({ id, vector }) => [id, literal(id, vector, dimensions)]));
    await sql.unsafe(
      `INSERT INTO ${name} (id, embedding) SELECT id, embedding::vector FROM unnest($1::text[], $2::text[]) AS rows (id, embedding)
       ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding`,
      [[...latest.keys()], [...latest.values()]],
    );
    await this.#indexWhereLarge();
  }

  async remove(ids: readonly string[]): Promise<void> {
    const { sql, name } = this.#opened;
    if (ids.length > 0) await sql.unsafe(`DELETE FROM ${name} WHERE id = ANY($1::text[])`, [ids]);
  }

  async search({ vector, k, exact = false }: VectorQuery): Promise<Scored[]> {
    if (k < 1) return [];
    const { sql, name } = this.#opened;
    // <#> is the inner product, negated. Equal ones by id as JavaScript orders it, which is that of bytes but for rare scripts.
    const query = `SELECT id, -(embedding <#> $1::vector) AS score FROM ${name}
      ORDER BY embedding <#> $1::vector, id COLLATE "C" LIMIT ${Math.floor(k)}`;
    const rows = await sql.begin(async (transaction) => {
      await transaction.unsafe(exact ? "SET LOCAL enable_indexscan = off" : `SET LOCAL ivfflat.probes = ${PROBES}`);
      return transaction.unsafe(query, [`[${vector.join(",")}]`]);
    });
    return rows.map(({ id, score }) => ({ id: String(id), score: Number(score) })).sort(byScore);
  }

  async ids(): Promise<string[]> {
    const { sql, name } = this.#opened;
    return (await sql.unsafe(`SELECT id FROM ${name}`)).map(({ id }) => String(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.sql.end();
  }

  /** Once there are enough rows; new ones enter the index as they come. */
  async #indexWhereLarge(): Promise<void> {
    if (this.#indexed) return;
    const { sql, name, table, indexFrom } = this.#opened;
    const [row] = await sql.unsafe(`SELECT count(*) AS rows FROM ${name}`);
    const rows = Number(row?.["rows"]);
    if (rows < indexFrom) return;
    const [known] = await sql.unsafe("SELECT count(*) AS indexes FROM pg_indexes WHERE tablename = $1 AND indexdef LIKE '%ivfflat%'", [
      table,
    ]);
    this.#indexed = Number(known?.["indexes"]) > 0;
    if (this.#indexed) return;
    await sql.unsafe(
      `CREATE INDEX ON ${name} USING ivfflat (embedding vector_ip_ops) WITH (lists = ${Math.max(1, Math.ceil(rows / ROWS_A_LIST))})`,
    );
    this.#indexed = true;
  }
}

function literal(id: string, vector: Float32Array, dimensions: number): string {
  if (vector.length !== dimensions) throw new Error(`A vector of ${vector.length} numbers for "${id}"; this store holds ${dimensions}.`);
  return `[${vector.join(",")}]`;
}

const messageOf = (cause: unknown): string => (cause instanceof Error && cause.message !== "" ? cause.message : "there is no answer");

function withoutPassword(url: string): string {
  return url.replace(/\/\/([^:@/]*):[^@/]*@/u, "//$1:...@");
}
