// A language model as judge of citations: whether a passage supports a sentence. Greedy, so the same each time.
import type { LanguageModel } from "../model.ts";
import { fence } from "../retriever/fence.ts";
import type { SupportJudge } from "./cite.ts";

const instruction =
  "Does the passage support the statement? Answer Yes only if everything the statement says stands in the passage. Answer Yes or No.";

/** Attribution as it is put to people and models in ALCE (Gao et al. 2023). */
export function judgeSupport(model: LanguageModel): SupportJudge {
  const fenced = fence(["Passage:", "Statement:"]);
  return async (sentence, passage, signal) => {
    const { title, text } = fenced(passage);
    const generation = await model.generate({
      input: {
        kind: "chat",
        shared: 1,
        messages: [
          { role: "system", content: instruction },
          { role: "user", content: `Passage: ${title}\n${text}\n\nStatement: ${sentence}` },
        ],
      },
      decoding: { constraint: { kind: "labels", labels: ["Yes", "No"] }, maxTokens: 4, temperature: 0, stop: [] },
      ...(signal && { signal }),
    });
    return generation.text.trim().startsWith("Yes");
  };
}
