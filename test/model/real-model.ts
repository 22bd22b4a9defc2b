// The demo model, fetched through the catalogue into the machine's cache of models, for tests that need a model with sense.
import { fetchModel } from "../../src/model/fetch-model.ts";
import { defaultModelsFolder } from "../../src/model/model-files.ts";
import { runnableFile } from "../../src/model/repack.ts";
import { messageOf } from "../../src/errors.ts";

export type RealModel = { readonly path: string; readonly sha256: string } | { readonly missing: string };

/** Where the model's file is, or why it can't be had here: the reason of a skip. */
export async function realModel(name = "smollm2-135m-instruct"): Promise<RealModel> {
  const extraFolders = process.env["SARTOR_MODELS"]?.split(process.platform === "win32" ? ";" : ":") ?? [];
  const modelsFolder = defaultModelsFolder(process.env);
  try {
    for await (const event of fetchModel({ name, modelsFolder, extraFolders })) {
      if (event.kind === "done") return await runnableFile({ model: event.model, modelsFolder });
    }
    return { missing: "the fetch ended without a model" };
  } catch (error) {
    return { missing: messageOf(error) };
  }
}
