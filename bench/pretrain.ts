// A small model trained from scratch on the characters of tinyshakespeare, beside PyTorch with the recipe of nanoGPT's README for a CPU
// (https://github.com/karpathy/nanoGPT: 4 layers, 4 heads, width 128, context 64, 2,000 steps of 12 windows; it names a loss of 1.88).
// Both see the same characters, in turns of 100 steps. Theirs is a GPT-2, ours a llama of as many weights.
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { startRuntime } from "../src/runtime/runtime.ts";
import { pretrain } from "../src/train/pretrain.ts";
import { tokenWindows } from "../src/train/windows.ts";
import { type BenchOptions, figure, printTable, readArguments } from "./bench.ts";
import { type PythonPeer, startPython } from "./python.ts";

const shape = { layers: 4, heads: 4, width: 128, context: 64 } as const;
/** SwiGLU has three matrices where theirs has two: as many weights at 8/3 of the width as at 4 times. */
const hidden = 344;
const recipe = { batchSize: 12, steps: 2000, warmupSteps: 100, learningRate: 1e-3, weightDecay: 0.1 } as const;
const readmeLoss = 1.88;
/** Steps before the other side has its turn. */
const turn = 100;

interface Side {
  /** Of a validation character, in nats. */
  readonly loss: number;
  /** Training and looking at validation. */
  readonly seconds: number;
  readonly secondsPerStep: number;
}

/** `--python <path>` names the peer's Python, `--threads <n>` (default: the cores there are, at most 2) holds for both, `--seed <n>` too. */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const { python, ...numbers } = readArguments(given, {
    python: { type: "string" },
    threads: { type: "string" },
    seed: { type: "string" },
  });
  const threads = Number(numbers.threads ?? Math.min(2, availableParallelism()));
  const seed = Number(numbers.seed ?? 0);
  const path = join(data, "tinyshakespeare", "input.txt");
  await using peer = await startPython({ script: "pretrain_gpt.py", options: { ...shape, ...recipe, path, threads, seed }, python });
  const theirs = peer === undefined ? undefined : peerSide(peer);
  // Reading the text and making the model is no part of either time.
  await theirs?.train(0);
  const own = await trainInTurns({ text: await readFile(path, "utf8"), threads, seed, theirs });
  const other = theirs?.result();
  print({ own, other, threads, json });
}

interface PeerSide {
  train(steps: number): Promise<void>;
  evaluate(): Promise<void>;
  result(): Side;
}

function peerSide(peer: PythonPeer): PeerSide {
  const told = { seconds: 0, training: 0, loss: Number.NaN };
  return {
    async train(steps) {
      if (steps === 0) return void (await peer.ask({ evaluate: true }));
      const { seconds } = await peer.ask<{ seconds: number }>({ steps });
      told.seconds += seconds;
      told.training += seconds;
    },
    async evaluate() {
      const { seconds, loss } = await peer.ask<{ seconds: number; loss: number }>({ evaluate: true });
      told.seconds += seconds;
      told.loss = loss;
    },
    result: () => ({ loss: told.loss, seconds: told.seconds, secondsPerStep: told.training / recipe.steps }),
  };
}

interface Turns {
  readonly text: string;
  readonly threads: number;
  readonly seed: number;
  readonly theirs: PeerSide | undefined;
}

/** Our run only goes on while its next event is waited for, so the peer has the machine to itself between two events. */
async function trainInTurns({ text, threads, seed, theirs }: Turns): Promise<Side> {
  await using runtime = startRuntime({ threads });
  const running = ourRun({ text, runtime, seed });
  let [seconds, training] = [0, 0];
  for (;;) {
    const started = performance.now();
    const { value, done } = await running.next();
    const spent = (performance.now() - started) / 1000;
    if (done === true) throw new Error("The run ended without a result.");
    seconds += spent;
    if (value.kind === "step") training += spent;
    if (value.kind === "step" && value.step % turn === 0) {
      await theirs?.train(turn);
      console.error(`step ${value.step} of ${value.of}, loss ${figure(value.loss)}, ${figure(seconds)} s`);
    }
    if (value.kind === "epoch") await theirs?.evaluate();
    if (value.kind === "done")
      return { loss: value.losses.at(-1)?.validation ?? Number.NaN, seconds, secondsPerStep: training / recipe.steps };
  }
}

function ourRun({
  text,
  runtime,
  seed,
}: {
  readonly text: string;
  readonly runtime: ReturnType<typeof startRuntime>;
  readonly seed: number;
}) {
  const characters = [...new Set(text)].toSorted();
  const ids = new Map(characters.map((character, id) => [character, id]));
  const tokens = Array.from(text, (character) => ids.get(character)!);
  const cut = Math.floor(tokens.length * 0.9);
  const { batchSize, steps, warmupSteps, learningRate, weightDecay } = recipe;
  const train = tokenWindows(tokens.slice(0, cut), shape.context);
  return pretrain({
    runtime,
    config: { ...shape, kvHeads: shape.heads, hidden, vocabulary: characters.length, ropeBase: 10_000 },
    train,
    validation: tokenWindows(tokens.slice(cut), shape.context),
    epochs: Math.ceil((steps * batchSize) / train.length),
    maxSteps: steps,
    batchSize,
    batchTokens: batchSize * shape.context,
    warmup: warmupSteps / steps,
    learningRate,
    weightDecay,
    seed,
  });
}

interface Results {
  readonly own: Side;
  readonly other: Side | undefined;
  readonly threads: number;
  readonly json: boolean;
}

function print({ own, other, threads, json }: Results): void {
  const row = (name: string, { loss, seconds, secondsPerStep }: Side): readonly string[] => [
    name,
    figure(loss),
    seconds.toFixed(1),
    (secondsPerStep * 1000).toFixed(1),
  ];
  console.log(`tinyshakespeare by characters, ${recipe.steps} steps of ${recipe.batchSize} x ${shape.context}, ${threads} threads each`);
  printTable(
    ["", "validation loss", "seconds", "ms a step"],
    [row("sartor", own), ...(other === undefined ? [] : [row("PyTorch", other)]), ["nanoGPT's README", figure(readmeLoss), "", ""]],
  );
  const ratios = {
    lossVsReadme: own.loss / readmeLoss,
    ...(other === undefined ? {} : { lossVsPeer: own.loss / other.loss, peerSecondsVsOurs: other.seconds / own.seconds }),
  };
  const beside =
    other === undefined ? "" : `; loss ${figure(own.loss / other.loss)} of PyTorch's, ${figure(other.seconds / own.seconds)} times as fast`;
  console.log(`loss ${figure(ratios.lossVsReadme)} of the README's${beside}`);
  if (json) console.log(JSON.stringify({ bench: "pretrain", threads, own, peer: other ?? null, ...ratios }));
}
