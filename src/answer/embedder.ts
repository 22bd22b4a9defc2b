// Embeds single texts and remembers the latest, for as long as the model is open: sentences of passages come again and again.
import type { EmbeddingModel } from "../model.ts";
import { type EmbeddingCache, rememberedQueries } from "../retriever/embedding-cache.ts";
import type { AnswerResources } from "./resources.ts";

const embedders = new WeakMap<EmbeddingModel, EmbeddingCache["query"]>();

export async function embedder(name: string, resources: Pick<AnswerResources, "embedding">): Promise<EmbeddingCache["query"]> {
  const model = await resources.embedding(name);
  const embed = embedders.get(model) ?? rememberedQueries(model);
  embedders.set(model, embed);
  return embed;
}
