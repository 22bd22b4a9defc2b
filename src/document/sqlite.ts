// A query over an SQLite file, as documents. The file is read into memory: nothing is ever written to it.
import initialise, { type Statement } from "sql.js";
import { messageOf } from "../errors.ts";
import type { RowFields } from "../task.ts";
import type { Part, RawFile } from "./converted.ts";
import { Unreadable } from "./limits.ts";
import { documentsOfRows } from "./rows.ts";

/** Bytes of the header that say which journal is used. */
const JOURNAL = [18, 19] as const;

/** Throws Unreadable for a file that is no database and for a query that fails. */
export async function* readSqlite({ bytes }: RawFile, fields: RowFields): AsyncIterable<Part> {
  if (Buffer.from(bytes.subarray(0, 15)).toString("latin1") !== "SQLite format 3")
    throw new Unreadable("is no SQLite database. Name the file of one.");
  const copy = new Uint8Array(bytes);
  // A database in write-ahead mode wants a log beside it; what was checkpointed is all in the file.
  for (const at of JOURNAL) copy[at] = 1;
  const { Database } = await initialise();
  const database = new Database(copy);
  try {
    const statement = prepare(database, fields.query);
    yield* documentsOfRows({ columns: statement.getColumnNames(), values: rowsOf(statement) }, fields);
  } finally {
    database.close();
  }
}

function prepare(database: InstanceType<Awaited<ReturnType<typeof initialise>>["Database"]>, query: string): Statement {
  try {
    return database.prepare(query);
  } catch (cause) {
    throw failed(cause);
  }
}

const failed = (cause: unknown): Unreadable => new Unreadable(`refuses the query: ${messageOf(cause)}. Mend the query.`, { cause });

async function* rowsOf(statement: Statement): AsyncIterable<readonly unknown[]> {
  try {
    while (step(statement)) yield statement.get(null, { useBigInt: true });
  } finally {
    statement.free();
  }
}

function step(statement: Statement): boolean {
  try {
    return statement.step();
  } catch (cause) {
    throw failed(cause);
  }
}
