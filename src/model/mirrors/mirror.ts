// What every mirror does: puts the files of a model into a folder of its own and says how far it is. Checks no hashes.
import type { CatalogueFile, Mirror } from "../catalogue.ts";

export interface MirrorOptions {
  readonly files: readonly CatalogueFile[];
  /** An existing folder, kept from try to try, so that a download cut short goes on. */
  readonly staging: string;
  readonly hub: { readonly url: string; readonly token?: string | undefined };
  /** Milliseconds without an answer, or without a byte, after which a server counts as down. */
  readonly patience: { readonly answer: number; readonly stall: number };
  readonly signal?: AbortSignal | undefined;
}

export type MirrorEvent =
  | { readonly kind: "progress"; readonly file: string; readonly received: number; readonly total: number }
  /** The file lies at `path`, to be moved away; `sha256` is what the mirror says it must be. */
  | { readonly kind: "file"; readonly name: string; readonly path: string; readonly sha256?: string };

/** Ends when all files have been given; throws with the reason when it cannot. */
export type MirrorFetch<M extends Mirror> = (mirror: M, options: MirrorOptions) => AsyncGenerator<MirrorEvent, void, void>;

/** How the names of downloads end that another try can go on with. */
export const partSuffix = ".part";
