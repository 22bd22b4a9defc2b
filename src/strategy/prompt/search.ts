// Prompt mining: a systematic search over instruction, format, demonstrations, their number and order, by successive halving.
import type { Candidate, Demonstrations, GenerateCandidate, Prompt, PromptFormat } from "../../candidate.ts";
import type { LabelledExample } from "../../task.ts";
import { contentKey } from "../../util/hash.ts";
import { seededRandom } from "../../util/random.ts";
import { answering } from "../needs.ts";
import type { Strategy, StrategyContext, StrategyData, StrategyEvent } from "../strategy.ts";
import { fixedDemonstrations, nearestDemonstrations } from "./few-shot.ts";
import { type Instruction, minedInstructions, proposedInstructions } from "./instructions.ts";

const proposals = 2;

export const promptSearch: Strategy = {
  name: "prompt",
  summary: "Prompt mining: instructions x formats x demonstrations, halved on validation until one is left.",
  shape: (start) => ({ ...start, demonstrations: 4 }),
  estimate: ({ start, facts, machine, effort }) => {
    if (start.kind !== "generate") return { cannot: "Only a language model can be prompted." };
    const rounds = Math.max(1, Math.ceil(Math.log2(effort.promptTrials)));
    const asked = Math.ceil((rounds * effort.promptTrials * effort.validationExamples) / 2 ** (rounds - 1)) + effort.validationExamples;
    return answering({ ...start, passageWords: start.passageWords + 100 }, facts, machine, asked);
  },
  run: search,
};

interface Trial {
  readonly prompt: Prompt;
  readonly source: Instruction["source"];
}

async function* search(start: Candidate, data: StrategyData, context: StrategyContext): AsyncIterable<StrategyEvent> {
  if (start.kind !== "generate") return;
  const { resources, seed, signal } = context;
  const model = await resources.model(start.model);
  const mined = minedInstructions({ given: start.prompt.instruction, output: context.task.output, ...data });
  yield { kind: "progress", label: "proposing instructions", done: 0, of: 1 };
  const proposed = await proposedInstructions({
    candidate: start,
    model,
    train: data.train,
    count: proposals,
    seed,
    ...(signal && { signal }),
  });
  const trials = drawTrials({ start, instructions: [...mined, ...proposed], data, context });
  const { prompt, source } = yield* halve(start, trials, data.validation, context);
  const { instruction, format, demonstrations } = prompt;
  const parameters = { tried: trials.length, instruction, source, format, demonstrations: describe(demonstrations) };
  yield { kind: "candidate", result: { candidate: { ...start, prompt }, parameters } };
}

/** Rounds of trials until one is left. */
async function* halve(
  start: GenerateCandidate,
  all: readonly Trial[],
  validation: readonly LabelledExample[],
  context: StrategyContext,
): AsyncGenerator<StrategyEvent, Trial> {
  const rounds = Math.max(1, Math.ceil(Math.log2(all.length)));
  const sign = context.metric.higherIsBetter ? -1 : 1;
  let trials = all;
  for (let round = 0; round < rounds && trials.length > 1; round++) {
    const examples = subset(validation, context, round, rounds);
    const scored: { trial: Trial; score: number }[] = [];
    for (const trial of trials) {
      scored.push({ trial, score: (await context.validate({ ...start, prompt: trial.prompt }, examples)).score });
      const detail = `${examples.length} examples each`;
      yield { kind: "progress", label: `round ${round + 1} of ${rounds}`, done: scored.length, of: trials.length, detail };
    }
    const kept = scored.toSorted((a, b) => sign * (a.score - b.score)).slice(0, Math.ceil(trials.length / 2));
    trials = kept.map(({ trial }) => trial);
  }
  return trials[0]!;
}

/** Successive halving (Jamieson and Talwalkar 2016): half the prompts, twice the examples, each round; the last sees all. */
function subset(
  validation: readonly LabelledExample[],
  { effort }: StrategyContext,
  round: number,
  rounds: number,
): readonly LabelledExample[] {
  const all = Math.min(validation.length, effort.validationExamples);
  return validation.slice(0, Math.max(Math.min(8, all), Math.ceil(all / 2 ** (rounds - 1 - round))));
}

/**
 * The start's own prompt; then it with other demonstrations, up to half of the trials, since those change most; then a seeded draw
 * from the whole grid without repetition.
 */
function drawTrials(options: {
  start: GenerateCandidate;
  instructions: readonly Instruction[];
  data: StrategyData;
  context: StrategyContext;
}): readonly Trial[] {
  const { start, instructions, data, context } = options;
  const formats: readonly PromptFormat[] = start.model.chat ? ["chat", "message", "completion"] : ["completion"];
  const long = start.retriever !== undefined;
  const demonstrations = demonstrationChoices(data.train, context.seed, long);
  const lists = context.task.output.kind === "labels" ? [true, false] : [start.prompt.listLabels];
  const grid = instructions.flatMap((instruction) =>
    formats.flatMap((format) =>
      demonstrations.flatMap((chosen) =>
        lists.map((listLabels): Trial => {
          const prompt = { ...start.prompt, instruction: instruction.text, format, demonstrations: chosen, listLabels };
          return { prompt, source: instruction.source };
        }),
      ),
    ),
  );
  const first: Trial = { prompt: start.prompt, source: "given" };
  const random = seededRandom(`prompt search ${context.seed}`);
  const count = context.effort.promptTrials;
  const shown = random.shuffle(demonstrations).map((chosen): Trial => ({ ...first, prompt: { ...start.prompt, demonstrations: chosen } }));
  return distinct([first, ...distinct([first, ...shown]).slice(1, 1 + Math.ceil(count / 2)), ...random.shuffle(grid)]).slice(0, count);
}

/** Each prompt once, where it first stands. */
function distinct(trials: readonly Trial[]): readonly Trial[] {
  return [...new Map(trials.map((trial) => [contentKey(trial.prompt), trial])).values()];
}

function demonstrationChoices(train: readonly LabelledExample[], seed: number, long: boolean): readonly Demonstrations[] {
  const nearest = (count: number): Demonstrations => nearestDemonstrations(train, count);
  const few: Demonstrations[] = [{ kind: "none" }, fixedDemonstrations(train, 4, seed), nearest(4)];
  if (long) return few;
  return [
    ...few,
    fixedDemonstrations(train, 8, seed + 1),
    nearest(8),
    { ...(nearest(4) as Demonstrations & { kind: "nearest" }), order: "nearest-first" },
  ];
}

function describe(demonstrations: Demonstrations): string {
  if (demonstrations.kind === "none") return "none";
  if (demonstrations.kind === "fixed") return `${demonstrations.examples.length} fixed`;
  return `${demonstrations.count} nearest, ${demonstrations.order}`;
}
