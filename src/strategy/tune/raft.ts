// RAFT (Zhang et al. 2024): LoRA on contexts of one gold passage among distractors, and sometimes none, so that it learns to look.
import type { Candidate } from "../../candidate.ts";
import type { Passage } from "../../evaluation.ts";
import type { Document, LabelledExample } from "../../task.ts";
import { seededRandom } from "../../util/random.ts";
import { training } from "../needs.ts";
import type { Strategy, StrategyContext, StrategyData, StrategyEvent } from "../strategy.ts";
import { tuneAdapter } from "./adapter.ts";
import { forTraining } from "./lora.ts";
import { renderTexts } from "./texts.ts";

const goldShare = 0.8;
const distractors = 4;

export const raftStrategy: Strategy = {
  name: "raft",
  summary: "LoRA on contexts with the gold passage (80 % of the time) among four distractors.",
  shape: (start) => ({ ...start, adapter: true }),
  estimate: (options) =>
    options.start.retrieves
      ? training({ shape: { ...options.start, passageWords: options.start.passageWords * 2 }, ...options, method: "lora" })
      : { cannot: "RAFT trains on retrieved passages: put a retriever before it, as in rag-bm25 > raft." },
  run,
};

async function* run(start: Candidate, data: StrategyData, context: StrategyContext): AsyncIterable<StrategyEvent> {
  if (start.kind !== "generate" || start.retriever === undefined) return;
  const wide = { ...start.retriever, topK: distractors + 1, budget: (distractors + 1) * (start.retriever.budget / start.retriever.topK) };
  const candidate = forTraining({ ...start, retriever: wide });
  const retriever = await context.resources.retriever(wide);
  let guessed = 0;
  const contextFor = async (example: LabelledExample): Promise<readonly Passage[]> => {
    const found = await retriever.search(example.input, { k: 2 * (distractors + 1) });
    const gold = goldOf(example, found, data.documents);
    if (gold?.guessed === true) guessed++;
    return mix({ example, found, gold: gold?.passages ?? [], seed: context.seed });
  };
  yield* tuneAdapter({
    candidate,
    served: forTraining(start),
    context,
    parameters: { goldShare, distractors },
    note: () => (guessed === 0 ? undefined : `The gold passage of ${guessed} examples was guessed: it contains the answer.`),
    texts: async (model) => ({
      train: await renderTexts({ candidate, model, examples: data.train, context, contextFor }),
      validation: await renderTexts({ candidate: forTraining(start), model, examples: data.validation, context }),
    }),
  });
}

interface Gold {
  readonly passages: readonly Passage[];
  readonly guessed: boolean;
}

/** Retrieved passages that overlap the evidence; without evidence those that hold the answer's words, marked as guessed. */
function goldOf(example: LabelledExample, found: readonly Passage[], documents: readonly Document[]): Gold | undefined {
  if (example.evidence !== undefined) {
    const passages = example.evidence.flatMap(({ document, start, end }) => {
      const hit = found.find((passage) => passage.document === document && passage.start < end && start < passage.end);
      return [hit ?? evidencePassage({ document, start, end }, documents)].filter((passage) => passage !== undefined);
    });
    return { passages: passages.slice(0, 2), guessed: false };
  }
  const answer = example.output.toLowerCase();
  const passages = found.filter((passage) => passage.text.toLowerCase().includes(answer)).slice(0, 1);
  return passages.length === 0 ? undefined : { passages, guessed: true };
}

/** The evidence with its surroundings, where the retriever did not find it. */
function evidencePassage(
  { document, start, end }: { document: string; start: number; end: number },
  documents: readonly Document[],
): Passage | undefined {
  const source = documents.find((one) => one.id === document);
  if (source === undefined) return undefined;
  const from = Math.max(0, source.text.lastIndexOf("\n\n", start) + 2);
  const next = source.text.indexOf("\n\n", end);
  const to = Math.min(next === -1 ? source.text.length : next, from + 600);
  return { document, title: source.title, start: from, end: to, text: source.text.slice(from, to), score: 0 };
}

function mix({
  example,
  found,
  gold,
  seed,
}: {
  example: LabelledExample;
  found: readonly Passage[];
  gold: readonly Passage[];
  seed: number;
}): readonly Passage[] {
  const random = seededRandom(`raft ${seed} ${example.id}`);
  const others = found.filter((passage) => !gold.includes(passage)).slice(0, distractors);
  const shown = random.next() < goldShare ? [...gold, ...others] : others;
  return random.shuffle(shown.slice(0, distractors + 1));
}
