// What a tuned model forgot: loss per byte of general text and a multiple-choice probe, before and after, on the served artefact.
import { readFile } from "node:fs/promises";
import { adapterOf } from "../answer/answer.ts";
import type { Resources } from "../answer/resources.ts";
import type { GenerateCandidate } from "../candidate.ts";
import { type AdapterFile, isLocal, type LocalLanguageModel } from "../model.ts";
import { seededRandom } from "../util/random.ts";

export interface Forgetting {
  /** Natural-log loss per byte of general text. */
  readonly lossBefore: number;
  readonly lossAfter: number;
  /** Share of the probe's questions answered right. */
  readonly probeBefore: number;
  readonly probeAfter: number;
  /** 95 % interval of probeAfter - probeBefore, by paired bootstrap over questions. */
  readonly low: number;
  readonly high: number;
  /** Questions asked. */
  readonly n: number;
}

interface ProbeQuestion {
  readonly id: string;
  readonly question: string;
  readonly choices: readonly string[];
  readonly answer: number;
}

/** How a model does on general text: kept, so that the base is measured once. */
export interface General {
  readonly loss: number;
  readonly right: readonly boolean[];
}

const windowTokens = 512;

/** Loss per byte over the first `bytes` of the general text and the first `questions` of the probe. */
export async function measureGeneral(options: {
  readonly model: LocalLanguageModel;
  readonly adapter?: AdapterFile;
  readonly bytes: number;
  readonly questions: number;
  readonly signal?: AbortSignal;
}): Promise<General> {
  const { model, adapter, bytes, questions, signal } = options;
  const text = (await readFile(new URL("./general/text.md", import.meta.url))).subarray(0, bytes).toString("utf8");
  const probe = (await readFile(new URL("./general/probe.jsonl", import.meta.url), "utf8")).split("\n").filter((line) => line !== "");
  const right: boolean[] = [];
  for (const line of probe.slice(0, questions)) {
    signal?.throwIfAborted();
    right.push(await answersRight(JSON.parse(line) as ProbeQuestion, model, adapter));
  }
  return { loss: await lossPerByte(text, model, adapter, signal), right };
}

async function lossPerByte(
  text: string,
  model: LocalLanguageModel,
  adapter: AdapterFile | undefined,
  signal: AbortSignal | undefined,
): Promise<number> {
  const tokens = model.tokenizeText(text);
  const window = Math.min(windowTokens, model.contextLength - 1);
  let loss = 0;
  for (let start = 0; start + 1 < tokens.length; start += window) {
    signal?.throwIfAborted();
    const scores = await model.score(tokens.slice(start, start + window + 1), adapter);
    loss -= scores.reduce((sum, score) => sum + score, 0);
  }
  return loss / Buffer.byteLength(text);
}

/** The choice with the highest log-probability per byte (acc_norm of the Language Model Evaluation Harness). */
async function answersRight(
  { question, choices, answer }: ProbeQuestion,
  model: LocalLanguageModel,
  adapter: AdapterFile | undefined,
): Promise<boolean> {
  const prompt = model.tokenizeText(`Question: ${question}\nAnswer:`);
  let best = { value: Number.NEGATIVE_INFINITY, index: -1 };
  for (const [index, choice] of choices.entries()) {
    const continuation = model.tokenizeText(` ${choice}`);
    const scores = await model.score([...prompt, ...continuation], adapter);
    const value = scores.slice(prompt.length - 1).reduce((sum, score) => sum + score, 0) / Buffer.byteLength(choice);
    if (value > best.value) best = { value, index };
  }
  return best.index === answer;
}

/** Before and after, for a candidate whose weights changed. Undefined where nothing local changed. */
export async function measureForgetting(options: {
  readonly candidate: GenerateCandidate;
  readonly resources: Resources;
  readonly base: General;
  readonly bytes: number;
  readonly questions: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}): Promise<Forgetting | undefined> {
  const { candidate, resources, base, bytes, questions, seed, signal } = options;
  const model = await resources.model(candidate.model);
  if (!isLocal(model)) return undefined;
  const after = await measureGeneral({
    model,
    bytes,
    questions,
    ...(await adapterOf(candidate, model, resources)),
    ...(signal && { signal }),
  });
  return {
    lossBefore: base.loss,
    lossAfter: after.loss,
    probeBefore: share(base.right),
    probeAfter: share(after.right),
    ...interval(base.right, after.right, seed),
    n: after.right.length,
  };
}

const share = (right: readonly boolean[]): number => right.filter(Boolean).length / Math.max(1, right.length);

function interval(before: readonly boolean[], after: readonly boolean[], seed: number): { low: number; high: number } {
  const differences = after.map((right, index) => Number(right) - Number(before[index]));
  const random = seededRandom(`forgetting ${seed}`);
  const means = Array.from(
    { length: 2000 },
    () => differences.reduce((sum) => sum + differences[random.integer(differences.length)]!, 0) / differences.length,
  );
  const sorted = means.toSorted((a, b) => a - b);
  return { low: sorted[50]!, high: sorted[1949]! };
}
