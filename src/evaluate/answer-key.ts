// What an answer depends on: the candidate's answering part, its models (file, runtime, threads) and the documents it retrieves from.
import type { Resources } from "../answer/resources.ts";
import { answeringPart, type Candidate, type CandidateModel, type RetrieverSettings } from "../candidate.ts";

/** Plain data whose hash changes whenever an answer of this candidate could. */
export async function answerKey({ candidate, resources, seed }: { candidate: Candidate; resources: Resources; seed: number }): Promise<unknown> {
  const models = await Promise.all(modelsOf(candidate).map(async (model) => (await resources.model(model)).key));
  const documents = retrieversOf(candidate).length === 0 ? [] : resources.documents.map((document) => [document.id, document.sha256]);
  const sampled = JSON.stringify(answeringPart(candidate)).includes('"temperature":0,') ? undefined : seed;
  return { candidate: answeringPart(candidate), models, documents, seed: sampled };
}

/** Every candidate inside, itself first. */
export function partsOf(candidate: Candidate): readonly Candidate[] {
  if (candidate.kind === "cascade") return [candidate, ...partsOf(candidate.first), ...partsOf(candidate.second)];
  if (candidate.kind === "route") return [candidate, ...Object.values(candidate.candidates).flatMap(partsOf)];
  return [candidate];
}

export function modelsOf(candidate: Candidate): readonly CandidateModel[] {
  return partsOf(candidate).flatMap((part) => (part.kind === "generate" ? [part.model] : []));
}

export function retrieversOf(candidate: Candidate): readonly RetrieverSettings[] {
  return partsOf(candidate).flatMap((part) => {
    if (part.kind === "generate") return part.retriever === undefined ? [] : [part.retriever];
    if (part.kind === "classify" && part.classifier.kind === "extract") return [part.classifier.retriever];
    return [];
  });
}
