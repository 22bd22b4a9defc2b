// A small model trained from scratch on the characters of tinyshakespeare, beside PyTorch with the recipe of nanoGPT's README for a CPU
// (https://github.com/karpathy/nanoGPT: 4 layers, 4 heads, width 128, context 64, 2,000 steps of 12 windows; it names a loss of 1.88).
// Both see the same characters. Theirs is a GPT-2, ours a llama of as many weights.
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Runtime, startRuntime } from "../src/runtime/runtime.ts";
import { pretrain } from "../src/train/pretrain.ts";
import { tokenWindows } from "../src/train/windows.ts";
import { type BenchOptions, figure, printTable, readArguments } from "./bench.ts";
import { type PythonPeer, startPython } from "./python.ts";

const shape = { layers: 4, heads: 4, width: 128, context: 64 } as const;
/** SwiGLU has three matrices where theirs has two: as many weights at 8/3 of the width as at 4 times. */
const hidden = 344;
const recipe = { batchSize: 12, steps: 2000, warmupSteps: 100, learningRate: 1e-3, weightDecay: 0.1 } as const;
const readmeLoss = 1.88;
/** Ours a second time, with its schedule ending sooner: a llama needs fewer steps for the same loss. */
const shortRun = 1000;
/** The runs take turns, each a share of its steps. */
const turns = 20;

interface Result {
  readonly steps: number;
  /** Of a validation character, in nats. */
  readonly loss: number;
  /** Training and looking at validation. */
  readonly seconds: number;
}

/** One run, which goes on only while it is waited for: between its turns the others have the machine to themselves. */
interface Side {
  /** The next share of the steps; with the last one the loss is known. */
  turn(): Promise<void>;
  result(): Result;
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
  const text = charactersOf(await readFile(path, "utf8"));
  await using peer = await startPython({ script: "pretrain_gpt.py", options: { ...shape, ...recipe, path, threads, seed }, python });
  // One handle a run: each has its own buffers.
  await using runtime = startRuntime({ threads });
  await using another = startRuntime({ threads });
  const own = ownSide({ text, runtime, seed, steps: recipe.steps });
  const short = ownSide({ text, runtime: another, seed, steps: shortRun });
  const other = peer === undefined ? undefined : await peerSide(peer);
  for (let turn = 1; turn <= turns; turn++) {
    for (const side of [own, other, short]) await side?.turn();
    console.error(`turn ${turn} of ${turns}`);
  }
  print({ own: own.result(), short: short.result(), peer: other?.result(), threads, json });
}

async function peerSide(peer: PythonPeer): Promise<Side> {
  const { steps } = recipe;
  // Waits for the text and the model, which are no part of the time.
  await peer.ask({ evaluate: true });
  const told = { turns: 0, seconds: 0, loss: Number.NaN };
  const ask = async (command: unknown): Promise<void> => {
    const { seconds, loss } = await peer.ask<{ seconds: number; loss: number }>(command);
    told.seconds += seconds;
    told.loss = loss;
  };
  return {
    async turn() {
      await ask({ steps: steps / turns });
      // As often as our run of as many steps looks at validation.
      if (++told.turns % (turns / 2) === 0) await ask({ evaluate: true });
    },
    result: () => ({ steps, loss: told.loss, seconds: told.seconds }),
  };
}

function ownSide(options: RunOptions): Side {
  const { steps } = options;
  const running = ourRun(options);
  const told = { step: 0, seconds: 0, loss: Number.NaN };
  return {
    async turn() {
      const until = told.step + steps / turns;
      const started = performance.now();
      while (told.step < until || until === steps) {
        const { value, done } = await running.next();
        if (done === true) throw new Error("The run ended without a result.");
        if (value.kind === "step") told.step = value.step;
        if (value.kind !== "done") continue;
        told.loss = value.losses.at(-1)?.validation ?? Number.NaN;
        break;
      }
      told.seconds += (performance.now() - started) / 1000;
    },
    result: () => ({ steps, loss: told.loss, seconds: told.seconds }),
  };
}

interface Characters {
  readonly tokens: readonly number[];
  readonly vocabulary: number;
}

function charactersOf(text: string): Characters {
  const characters = [...new Set(text)].toSorted();
  const ids = new Map(characters.map((character, id) => [character, id]));
  return { tokens: Array.from(text, (character) => ids.get(character)!), vocabulary: characters.length };
}

interface RunOptions {
  readonly text: Characters;
  readonly runtime: Runtime;
  readonly seed: number;
  readonly steps: number;
}

function ourRun({ text: { tokens, vocabulary }, runtime, seed, steps }: RunOptions) {
  const cut = Math.floor(tokens.length * 0.9);
  const { batchSize, warmupSteps, learningRate, weightDecay } = recipe;
  const train = tokenWindows(tokens.slice(0, cut), shape.context);
  return pretrain({
    runtime,
    config: { ...shape, kvHeads: shape.heads, hidden, vocabulary, ropeBase: 10_000 },
    train,
    validation: tokenWindows(tokens.slice(cut), shape.context),
    epochs: Math.ceil((steps * batchSize) / train.length),
    maxSteps: steps,
    batchSize,
    batchTokens: batchSize * shape.context,
    warmup: warmupSteps / recipe.steps,
    learningRate,
    weightDecay,
    seed,
  });
}

interface Results {
  readonly own: Result;
  readonly short: Result;
  readonly peer: Result | undefined;
  readonly threads: number;
  readonly json: boolean;
}

function print({ own, short, peer, threads, json }: Results): void {
  const row = (name: string, { steps, loss, seconds }: Result): readonly string[] => [
    name,
    String(steps),
    figure(loss),
    seconds.toFixed(1),
    ((seconds / steps) * 1000).toFixed(1),
  ];
  console.log(`tinyshakespeare by characters, steps of ${recipe.batchSize} x ${shape.context}, ${threads} threads each, in turns`);
  const rows = [row("sartor", own), row("sartor", short), ...(peer === undefined ? [] : [row("PyTorch", peer)])];
  printTable(
    ["", "steps", "validation loss", "seconds", "ms a step"],
    [...rows, ["nanoGPT's README", String(recipe.steps), figure(readmeLoss), "", ""]],
  );
  const against = (one: Result) => ({
    lossVsReadme: one.loss / readmeLoss,
    ...(peer === undefined ? {} : { lossVsPeer: one.loss / peer.loss, peerSecondsVsOurs: peer.seconds / one.seconds }),
  });
  for (const one of [own, short]) {
    const { lossVsReadme, lossVsPeer, peerSecondsVsOurs } = against(one);
    const beside = lossVsPeer === undefined ? "" : `, ${figure(lossVsPeer)} of PyTorch's; ${figure(peerSecondsVsOurs!)} times as fast`;
    console.log(`${one.steps} steps: loss ${figure(lossVsReadme)} of the README's${beside}`);
  }
  if (json)
    console.log(
      JSON.stringify({
        bench: "pretrain",
        threads,
        own: { ...own, ...against(own) },
        short: { ...short, ...against(short) },
        peer: peer ?? null,
      }),
    );
}
