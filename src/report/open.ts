// A finished run's report, read again without opening any model.
import { dirname } from "node:path";
import { readSettings } from "../data/settings-file.ts";
import { UserError } from "../errors.ts";
import { findRun } from "../evaluate/run.ts";
import { fileSystemStore } from "../store/file-system.ts";
import type { Store } from "../store.ts";
import { type Report, reportSchema } from "./schema.ts";

export interface OpenedReport {
  readonly report: Report;
  readonly markdown: string;
  /** Folder that holds report.html, report.md and report.json. */
  readonly folder: string;
}

/** The newest finished run of a task, or the one named. @throws {UserError} where there is none. */
export async function openReport({ path, run }: { readonly path: string; readonly run?: string }): Promise<OpenedReport> {
  const { folder } = await readSettings(path);
  const found = await findRun(fileSystemStore(`${folder}/.sartor`), run);
  return {
    report: await readReport(found),
    markdown: (await found.readText("report.md")) ?? "",
    folder: dirname(await found.path("report.json")),
  };
}

/** @throws {UserError} when the file is missing or was changed by hand beyond recognition. */
export async function readReport(run: Store): Promise<Report> {
  try {
    return reportSchema.parse(JSON.parse((await run.readText("report.json")) ?? "null"));
  } catch (cause) {
    throw new UserError(
      `The report of this run (${await run.path("report.json")}) cannot be read. Run sartor compare again: what was answered is kept.`,
      { cause },
    );
  }
}
