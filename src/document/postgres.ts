// A query over Postgres, as documents: in a transaction that can only read, row by row. The connection is closed before the last is given.
import postgres from "postgres";
import { messageOf, UserError } from "../errors.ts";
import type { RowFields } from "../task.ts";
import type { Part } from "./converted.ts";
import { type Limits, Unreadable } from "./limits.ts";
import { documentsOfRows } from "./rows.ts";

/** Rows fetched at a time. */
const BATCH = 500;
const CONNECT_SECONDS = 10;

export interface PostgresOptions {
  readonly address: string;
  /** What errors call the database: addresses hold passwords. */
  readonly name: string;
  readonly fields: RowFields;
  readonly limits: Limits;
}

/** All documents of the query. Throws UserError when the database can't be reached, refuses the query or takes too long. */
export async function readPostgres({ address, name, fields, limits }: PostgresOptions): Promise<Part[]> {
  const failed = (cause: unknown): UserError => new UserError(`documents: ${name} ${reasonOf(cause)}`, { cause });
  let sql: postgres.Sql;
  try {
    sql = connect(address);
  } catch (cause) {
    throw failed(cause);
  }
  try {
    return await sql.begin("read only", async (transaction) => {
      await transaction.unsafe(`set local statement_timeout = ${Math.round(limits.seconds * 1000)}`);
      const { columns } = await transaction.unsafe(fields.query).describe();
      const names = columns.map((column) => column.name);
      const rows = valuesOf(transaction.unsafe(fields.query).values().cursor(BATCH) as AsyncIterable<readonly (readonly unknown[])[]>);
      const parts: Part[] = [];
      for await (const part of documentsOfRows({ columns: names, values: rows }, fields)) parts.push(part);
      return parts;
    });
  } catch (cause) {
    throw failed(cause);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Dates and times of all kinds stay as the database writes them: a Date would move them to the machine's time zone. */
const asWritten = { to: 1184, from: [1082, 1114, 1184], serialize: String, parse: (text: string) => text };

/** Addresses may name the folder of a socket, as those of Postgres's own programs do: `postgres:///shop?host=/var/run/postgresql`. */
export function connect(address: string): postgres.Sql {
  const url = new URL(address);
  const host = url.searchParams.get("host");
  url.searchParams.delete("host");
  if (host !== null && url.hostname === "") url.hostname = "localhost";
  return postgres(url.href, {
    max: 1,
    connect_timeout: CONNECT_SECONDS,
    onnotice: () => undefined,
    fetch_types: false,
    types: { date: asWritten },
    ...(host !== null && { host }),
  });
}

async function* valuesOf(batches: AsyncIterable<readonly (readonly unknown[])[]>): AsyncIterable<readonly unknown[]> {
  for await (const batch of batches) yield* batch;
}

const unreachable = ["ECONNREFUSED", "ENOTFOUND", "CONNECT_TIMEOUT", "ETIMEDOUT", "EHOSTUNREACH", "CONNECTION_CLOSED", "ENOENT"];

function reasonOf(error: unknown): string {
  if (error instanceof Unreadable) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (unreachable.includes(code)) return `can't be reached (${code}). Start it, or mend its address.`;
  return `refuses the query: ${messageOf(error).replace(/\.$/, "")}. Mend the query or the address.`;
}
