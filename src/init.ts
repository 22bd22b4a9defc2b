// A task from a folder of data: `data/` guesses, with the formats that `document/` reads.
import { initTask as initFrom, type InitTask } from "./data/init-task.ts";
import { readDocuments } from "./document/read-all.ts";
import { isReadable } from "./document/read.ts";

export type { InitTask };

/** Writes sartor.yaml, whole or not at all, and says what was guessed. @throws {UserError} where one is there, or no examples are found. */
export function initTask({ folder }: { readonly folder: string }): Promise<InitTask> {
  return initFrom({ folder, isDocument: isReadable, readDocuments });
}
