// A language model as the judge of passages: how likely it finds the question, given the passage; or whether it says yes.
import { UserError } from "../errors.ts";
import type { Passage } from "../evaluation.ts";
import { isLocal, type LanguageModel, type LocalLanguageModel } from "../model.ts";
import { wordStarts } from "./chunk-source.ts";
import { fence } from "./fence.ts";
import type { Judge } from "./rerank.ts";

/** Words of a passage that are read. */
const WORDS = 200;

/** A local model judges by the likelihood of the question; one behind a server by its probability of saying yes. */
export function judgeByModel(model: LanguageModel): Judge {
  return isLocal(model) ? byLikelihood(model) : byAnswer(model);
}

/** The mean natural-log probability of the question's tokens after the passage (Sachan et al. 2022, "Improving passage retrieval with zero-shot question generation"). */
function byLikelihood(model: LocalLanguageModel): Judge {
  return async (query, passages, signal) => {
    const scores: number[] = [];
    for (const passage of passages) {
      signal?.throwIfAborted();
      const content = `Passage: ${opening(passage)}\n\nPlease write a question based on this passage.`;
      const { tokens, promptLength } = model.tokenize({ kind: "chat", messages: [{ role: "user", content }], shared: 0 }, query);
      const asked = await model.score(tokens, undefined, promptLength);
      scores.push(asked.reduce((sum, value) => sum + value, 0) / Math.max(1, asked.length));
    }
    return scores;
  };
}

const instruction = "Does the passage answer the question? Answer Yes or No.";

/** The log probability of Yes (Nogueira et al. 2020, "Document ranking with a pretrained sequence-to-sequence model"). */
function byAnswer(model: LanguageModel): Judge {
  return async (query, passages, signal) => {
    const scores: number[] = [];
    for (const passage of passages) {
      const { labels } = await model.generate({
        input: {
          kind: "chat",
          shared: 1,
          messages: [
            { role: "system", content: instruction },
            { role: "user", content: `Passage: ${opening(passage)}\n\nQuestion: ${query}` },
          ],
        },
        decoding: { constraint: { kind: "labels", labels: ["Yes", "No"] }, maxTokens: 1, temperature: 0, stop: [] },
        ...(signal && { signal }),
      });
      if (labels?.["Yes"] === undefined)
        throw new UserError(`The model ${model.id} gives no probabilities, which ranking passages needs. Rank with a local model.`);
      scores.push(labels["Yes"]);
    }
    return scores;
  };
}

const fenced = fence(["Passage:", "Question:", "Please write a question"]);

function opening(passage: Passage): string {
  const { title, text } = fenced(passage);
  return `${title === "" ? "" : `${title}: `}${text.slice(0, wordStarts(text)[WORDS] ?? text.length)}`;
}
