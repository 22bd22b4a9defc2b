// `sartor models`: the catalogue, what of it is on this machine, and fetching and removing it.
import { fetchModel, listModels, removeModel } from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { createProgress } from "./progress.ts";
import { table } from "./table.ts";

export async function listVerb({ json = false }: { readonly json?: boolean }): Promise<void> {
  const { modelsFolder, extraFolders } = readEnvironment();
  const models = (await listModels({ modelsFolder, extraFolders })).map(({ entry, local }) => ({ ...entry, local: local?.files ?? null }));
  if (json) {
    console.log(JSON.stringify(models, undefined, 2));
    return;
  }
  const rows = models.map(({ name, kind, parameters, files, licence, local, tried }) => [
    name,
    kind,
    count(parameters),
    megabytes(files.reduce((sum, { bytes }) => sum + bytes, 0)),
    licence,
    local === null ? "" : "here",
    tried ? "" : "not tried here",
  ]);
  console.log(table(["model", "kind", "parameters", "size", "licence", "", ""], rows));
  console.log(`\nFetched models lie in ${modelsFolder}. Fetch one: sartor models fetch <name>`);
}

export async function fetchVerb(name: string): Promise<void> {
  const { modelsFolder, extraFolders, hubToken } = readEnvironment();
  const progress = createProgress();
  for await (const event of fetchModel({ name, modelsFolder, extraFolders, hubToken, signal: interruptSignal() })) {
    if (event.kind === "mirror") progress.note(`asking ${event.mirror}`);
    if (event.kind === "failed") progress.note(`${event.mirror} did not give it: ${event.reason}`);
    if (event.kind === "progress")
      progress.update(`${event.file} ${megabytes(event.received)} of ${megabytes(event.total)}`, event.received / event.total);
    if (event.kind !== "done") continue;
    progress.clear();
    console.log(`${name} is here:`);
    for (const { path, bytes } of event.model.files) console.log(`  ${path} (${megabytes(bytes)})`);
  }
}

export async function removeVerb(name: string): Promise<void> {
  const freed = await removeModel({ name, modelsFolder: readEnvironment().modelsFolder });
  console.log(`Removed ${name}: ${megabytes(freed)} freed.`);
}

const megabytes = (bytes: number): string => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(0)} MB`);
const count = (parameters: number): string =>
  parameters < 9.95e8 ? `${(parameters / 1e6).toFixed(0)}M` : `${(parameters / 1e9).toFixed(1)}B`;
