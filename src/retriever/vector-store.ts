// Where vectors are kept and searched: the contract. Implementations: exact.ts (memory), lancedb.ts (a folder or an object store).
import type { Scored } from "./scored.ts";

/** A unit vector under a name. */
export interface VectorRow {
  readonly id: string;
  readonly vector: Float32Array;
}

export interface VectorQuery {
  /** A unit vector. */
  readonly vector: Float32Array;
  readonly k: number;
  /** Search every row even where there is an index that would leave some out. */
  readonly exact?: boolean;
}

/** Every change is seen by the next search. Test of the contract: test/conformance/vector-store.ts. */
export interface VectorStore extends AsyncDisposable {
  /** Adds rows, in place of those of the same id. */
  upsert(rows: readonly VectorRow[]): Promise<void>;
  /** Takes rows out; ids that are not there are no error. */
  remove(ids: readonly string[]): Promise<void>;
  /** The `k` rows with the largest inner product (the cosine), best first, equal ones by id. */
  search(query: VectorQuery): Promise<Scored[]>;
  /** The ids of all rows, in no order. */
  ids(): Promise<string[]>;
}
