// The demo model's file, fetched where it is not here yet.
import { readEnvironment } from "../src/cli/environment.ts";
import { fetchModel } from "../src/model/fetch-model.ts";
import { runnableFile } from "../src/model/repack.ts";

export async function demoModel(name = "smollm2-135m-instruct"): Promise<string> {
  const { modelsFolder, extraFolders } = readEnvironment();
  for await (const event of fetchModel({ name, modelsFolder, extraFolders }))
    if (event.kind === "done") return (await runnableFile({ model: event.model, modelsFolder })).path;
  throw new Error("The fetch ended without a model.");
}
