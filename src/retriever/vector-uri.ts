// Vectors at a place named by URI: postgres:// is Postgres with pgvector; a folder, s3:// or gs:// is LanceDB.
import { lanceStore } from "./lancedb.ts";
import type { VectorStore } from "./vector-store.ts";

export interface VectorStoreAtOptions {
  readonly uri: string;
  /** Letters, digits and underscores, 60 at most. */
  readonly table: string;
  readonly dimensions: number;
  /** Where `sartor setup local` put LanceDB. */
  readonly packagesFolder?: string | undefined;
}

/** @throws {UserError} if the package it needs is not installed, or no server answers. */
export async function vectorStoreAt({ uri, packagesFolder, ...options }: VectorStoreAtOptions): Promise<VectorStore> {
  return /^postgres(?:ql)?:\/\//u.test(uri)
    ? (await import("./pgvector.ts")).pgvectorStore({ url: uri, ...options })
    : lanceStore({ uri, packagesFolder, ...options });
}
