// The cost of an update: add a document, time until an answer uses it. Retrievers take the upsert, weights the rebuild.
import type { Resources } from "../answer/resources.ts";
import { type Candidate, retrieversOf } from "../candidate.ts";
import { buildRetriever } from "../retriever/search.ts";
import { memoryStore } from "../store/memory.ts";

export interface Update {
  readonly seconds: number;
  readonly how: string;
}

/** Measured: the upsert of one document of median length into an index of its own; else the build, as it was timed. */
export async function measureUpdate(candidate: Candidate, resources: Resources): Promise<Update> {
  const [settings] = retrieversOf(candidate);
  const { seconds } = candidate.manifest.build;
  if (settings === undefined) {
    return {
      seconds,
      how: candidate.manifest.weightsChanged ? "rebuild: the weights are trained again" : "rebuild: prompt or classifier made again",
    };
  }
  const { documents, packagesFolder } = resources;
  const embedding = settings.embedding === undefined ? {} : { embedding: await resources.embedding(settings.embedding) };
  const retriever = await buildRetriever({ settings, documents, store: memoryStore(), packagesFolder, ...embedding });
  const sorted = documents.toSorted((a, b) => a.text.length - b.text.length);
  const typical = sorted[Math.floor(sorted.length / 2)]!;
  const added = {
    ...typical,
    id: `${typical.id}.new.md`,
    sha256: `${typical.sha256}-new`,
    text: `${typical.text}\n\nA new paragraph about the quarterly zebra census.`,
  };
  const started = performance.now();
  await retriever.upsert(added);
  const found = await retriever.search("quarterly zebra census", { k: 5 });
  const spent = (performance.now() - started) / 1000;
  if (!found.some((passage) => passage.document === added.id)) return { seconds, how: "rebuild: the new document was not found at once" };
  return { seconds: spent, how: "upsert: one document into the index, used by the next answer" };
}
