// Training steps beside PyTorch and PEFT: one whole step's gradients, fifty steps' losses, and the exported adapter read back in Python.
import { join } from "node:path";
import type { TokenSequence } from "../../src/model.ts";
import { makeUpdate } from "../../src/train/batches.ts";
import { commonDefaults, loraDefaults } from "../../src/train/defaults.ts";
import { type Engine, startEngine } from "../../src/train/engine.ts";
import { openLogits } from "../../src/train/logits.ts";
import { learningRateAt } from "../../src/train/schedule.ts";
import type { LoraTensor } from "../../src/weights/lora.ts";
import { readPeftAdapter, writePeftAdapter } from "../../src/weights/peft-adapter.ts";
import { readSafetensor, readSafetensors } from "../../src/weights/safetensors.ts";
import { begin, initialAdapter, stateOf } from "./adapters.ts";
import { type Finding, largestDifference, relativeError } from "./finding.ts";
import type { Peer } from "./peer.ts";
import type { TrainingSetting } from "./setting.ts";

const { rank, alpha, batchSize, learningRate } = loraDefaults;
const { warmup, maxNorm, batchTokens } = commonDefaults;
const STEPS = 50;

/** Parts a and b. */
export async function compareSteps(setting: TrainingSetting, peer: Peer): Promise<readonly Finding[]> {
  const { runtime, base, folder, texts } = setting;
  await using engine = await startEngine({ runtime, config: base.config, method: { kind: "lora", rank, alpha }, read: base.read, folder });
  const updates = Array.from({ length: STEPS }, (_, step) => texts.train.slice(step * batchSize, (step + 1) * batchSize));
  return [...(await oneStep(setting, peer, engine, updates[0] ?? [])), await manySteps(setting, peer, engine, updates)];
}

async function oneStep(
  setting: TrainingSetting,
  peer: Peer,
  engine: Engine,
  sequences: readonly TokenSequence[],
): Promise<readonly Finding[]> {
  // B differs from zero, or every gradient of A would be nothing.
  const adapter = initialAdapter(engine, { b: 0.02 });
  await begin(engine, adapter);
  const { loss } = await engine.step(makeUpdate(sequences, batchTokens), { step: 1, learningRate: 0, weightDecay: 0, maxNorm: Infinity });
  // AdamW's first moment after one step from zero is (1 - .9) times the gradient.
  const tenths = await stateOf(engine, "mean");
  const [from, to] = [join(setting.folder, "step"), join(setting.folder, "gradients")];
  await writePeft(setting, from, adapter);
  const theirs = await peer.gradients({ adapter: from, sequences, to });
  const { heads, kvHeads } = setting.base.config;
  const expected = await readPeftAdapter(to, { architecture: "llama", heads, kvHeads });
  const errors = expected.tensors.flatMap(({ target, a, b }) => {
    const own = tenths.find((tensor) => tensor.target === target);
    const whole = (moment: Float32Array | undefined) => (moment ?? new Float32Array()).map((value) => value / Math.fround(0.1));
    return [
      { name: `${target}.lora_a`, error: relativeError(whole(own?.a), a) },
      { name: `${target}.lora_b`, error: relativeError(whole(own?.b), b) },
    ];
  });
  const worst = errors.reduce((one, other) => (other.error > one.error ? other : one));
  return [
    { name: "stepLoss", what: "a step's loss, |difference|", value: Math.abs(loss - theirs.loss), note: `loss ${loss.toFixed(4)}` },
    {
      name: "stepGradients",
      what: `relative error of ${errors.length} gradient tensors, largest`,
      value: worst.error,
      bound: { atMost: 1e-4 },
      note: worst.name,
    },
  ];
}

async function manySteps(
  setting: TrainingSetting,
  peer: Peer,
  engine: Engine,
  updates: readonly (readonly TokenSequence[])[],
): Promise<Finding> {
  const adapter = initialAdapter(engine, { b: 0 });
  await begin(engine, adapter);
  const learningRates = updates.map((_, index) =>
    learningRateAt(index + 1, { learningRate, schedule: "cosine", warmup, steps: updates.length }),
  );
  const losses: number[] = [];
  for (const [index, sequences] of updates.entries()) {
    const options = { step: index + 1, learningRate: learningRates[index] ?? 0, weightDecay: 0, maxNorm };
    losses.push((await engine.step(makeUpdate(sequences, batchTokens), options)).loss);
  }
  const from = join(setting.folder, "steps");
  await writePeft(setting, from, adapter);
  const theirs = await peer.steps({ adapter: from, updates, learningRates, maxNorm });
  const apart = losses.map((loss, index) => Math.abs(loss - (theirs.losses[index] ?? Number.NaN)));
  const largest = Math.max(...apart);
  const ends = `loss ${losses[0]?.toFixed(3)} to ${losses.at(-1)?.toFixed(3)}, largest at step ${apart.indexOf(largest) + 1}`;
  return {
    name: "manySteps",
    what: `losses of ${STEPS} AdamW steps, largest |difference|`,
    value: largest,
    bound: { atMost: 1e-3 },
    note: ends,
  };
}

/** Part c: what the exported folder is in Python. */
export async function compareExport(setting: TrainingSetting, peer: Peer, tensors: readonly LoraTensor[]): Promise<Finding> {
  const { runtime, files, folder, texts } = setting;
  const given = texts.heldOut.slice(0, 8).map(({ tokens }) => tokens);
  const [from, to] = [join(folder, "exported"), join(folder, "logits.safetensors")];
  await writePeft(setting, from, tensors);
  await peer.logits({ adapter: from, texts: given, to });
  const theirs = await readSafetensors(to);
  await using graph = await openLogits({ runtime, basePath: files.f32, adapter: { tensors, rank, alpha } });
  let largest = 0;
  for (const [index, tokens] of given.entries())
    largest = Math.max(largest, largestDifference(await graph.after(tokens), await readSafetensor(theirs, String(index))));
  const rows = given.reduce((sum, tokens) => sum + tokens.length, 0);
  return {
    name: "peftLogits",
    what: "exported folder in PEFT, logits, largest |difference|",
    value: largest,
    bound: { atMost: 1e-3 },
    note: `${rows} rows`,
  };
}

async function writePeft({ base }: TrainingSetting, folder: string, tensors: readonly LoraTensor[]): Promise<void> {
  const { heads, kvHeads } = base.config;
  await writePeftAdapter({ folder, baseModel: "base", architecture: "llama", alpha, tensors, heads, kvHeads });
}
