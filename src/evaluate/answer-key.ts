// What an answer depends on: the candidate's answering part, its models (file, runtime, threads) and the documents it retrieves from.
import type { Resources } from "../answer/resources.ts";
import { answeringPart, type Candidate, modelsOf, retrieversOf } from "../candidate.ts";

/** Plain data whose hash changes whenever an answer of this candidate could. */
export async function answerKey({
  candidate,
  resources,
  seed,
}: {
  candidate: Candidate;
  resources: Resources;
  seed: number;
}): Promise<unknown> {
  const models = await Promise.all(modelsOf(candidate).map(async (model) => (await resources.model(model)).key));
  const documents = retrieversOf(candidate).length === 0 ? [] : resources.documents.map((document) => [document.id, document.sha256]);
  const sampled = JSON.stringify(answeringPart(candidate)).includes('"temperature":0,') ? undefined : seed;
  return { candidate: answeringPart(candidate), models, documents, seed: sampled };
}
