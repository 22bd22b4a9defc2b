// The graph beside llama.cpp: logits of a model's files, continuations with an adapter, and the merged model.
import { join } from "node:path";
import { loraDefaults } from "../../src/train/defaults.ts";
import { type LogitsModel, openLogits } from "../../src/train/logits.ts";
import { writeGgufAdapter } from "../../src/weights/gguf-adapter.ts";
import { readGguf } from "../../src/weights/gguf-read.ts";
import type { LoraTensor } from "../../src/weights/lora.ts";
import { mergeInto } from "../../src/weights/merge.ts";
import { type Finding, indexOfLargest, largestDifference, type RowGap, rowGap, rowsOf } from "./finding.ts";
import { openServed, type Served } from "./llama-cpp.ts";
import type { FileKind, Setting } from "./setting.ts";

const { rank, alpha } = loraDefaults;
const WRITTEN = 32;
/**
 * Deviations by which two logits may change places. llama.cpp computes attention in half precision and, where weights are packed, rounds
 * activations to 8 bits before every product; the deviation is what that does to the logits of other text.
 */
const NOISE = 6;

/** Standard deviation of the graph's logits from llama.cpp's, by file. */
export type Deviations = { readonly [K in FileKind]?: number };

/** Part d: every file over plain text. */
export async function compareLogits({ runtime, files, texts }: Setting): Promise<{ findings: readonly Finding[]; deviations: Deviations }> {
  const findings: Finding[] = [];
  const deviations: { [K in FileKind]?: number } = {};
  for (const [kind, path] of Object.entries(files) as [FileKind, string][]) {
    await using graph = await openLogits({ runtime, basePath: path });
    for (const attention of kind === "f32" ? (["single", "half"] as const) : (["half"] as const)) {
      await using served = await openServed({ path, attention });
      const { deviation, ...found } = await logitGaps(graph, served, texts.plain);
      findings.push(...gapFindings(`${kind}${attention === "single" ? ", attention too" : ""}`, { deviation, ...found }));
      deviations[kind] = deviation;
    }
  }
  return { findings, deviations };
}

interface LogitGaps {
  readonly divergence: number;
  readonly largestDivergence: number;
  readonly deviation: number;
  readonly sameTop: number;
  readonly tokens: number;
}

async function logitGaps(graph: LogitsModel, served: Served, texts: readonly (readonly number[])[]): Promise<LogitGaps> {
  const all: RowGap[] = [];
  for (const tokens of texts) {
    const places = tokens.map((_, place) => place);
    const theirs = rowsOf(await served.after(tokens, places), graph.vocabulary);
    for (const [row, own] of rowsOf(await graph.after(tokens), graph.vocabulary).entries()) all.push(rowGap(own, theirs[row]!));
  }
  const mean = (of: (gap: RowGap) => number) => all.reduce((sum, gap) => sum + of(gap), 0) / all.length;
  return {
    divergence: mean(({ divergence }) => divergence),
    largestDivergence: Math.max(...all.map(({ divergence }) => divergence)),
    deviation: Math.sqrt(mean(({ variance }) => variance)),
    sameTop: mean(({ sameTop }) => (sameTop ? 1 : 0)),
    tokens: all.length,
  };
}

function gapFindings(name: string, { divergence, largestDivergence, deviation, sameTop, tokens }: LogitGaps): readonly Finding[] {
  const note = `largest ${largestDivergence.toExponential(1)}, same top token ${(100 * sameTop).toFixed(1)} %, ${tokens} tokens`;
  return [
    { name: `divergence ${name}`, what: `${name}: KL a token, nats`, value: divergence, note },
    { name: `deviation ${name}`, what: `${name}: logits apart, standard deviation`, value: deviation },
  ];
}

export interface ContinuationOptions {
  readonly tensors: readonly LoraTensor[];
  readonly deviations: Deviations;
  readonly attention?: "half" | "single";
}

/** Part e: an adapter over every file. */
export async function compareContinuations(
  setting: Setting,
  { tensors, deviations, attention = "half" }: ContinuationOptions,
): Promise<readonly Finding[]> {
  const { runtime, files, folder, texts } = setting;
  const path = join(folder, "adapter.gguf");
  await writeGgufAdapter({ path, architecture: "llama", alpha, tensors });
  const adapter = { tensors, rank, alpha };
  const findings: Finding[] = [];
  let continued: readonly (readonly number[])[] = [];
  for (const [kind, file] of Object.entries(files) as [FileKind, string][]) {
    await using served = await openServed({ path: file, adapter: path, attention });
    await using graph = await openLogits({ runtime, basePath: file, adapter });
    const limit = NOISE * (deviations[kind] ?? 0);
    if (kind === "f32") {
      continued = await continuations(
        served,
        texts.heldOut.map(({ tokens, promptLength }) => tokens.slice(0, promptLength)),
      );
      findings.push(...continuationFindings(await graphsChoices(graph, continued), limit));
    } else findings.push(...forcedFindings(kind, await graphsChoices(graph, continued, served), limit));
  }
  return findings;
}

async function continuations(served: Served, prompts: readonly (readonly number[])[]): Promise<readonly (readonly number[])[]> {
  const written: number[][] = [];
  for (const prompt of prompts) written.push([...prompt, ...(await served.greedy(prompt, WRITTEN))]);
  return written;
}

/** A place where a token is written: what the graph would write there, what llama.cpp, and by how many logits the graph prefers its own. */
interface Choice {
  readonly own: number;
  readonly theirs: number;
  readonly gap: number;
}

/**
 * Both sides' choices for the last tokens of each text. llama.cpp's are the tokens that stand there, if it wrote them: as long as the
 * graph's choice is the same at each place, it would have written the same, so one pass shows what writing would.
 */
async function graphsChoices(
  graph: LogitsModel,
  texts: readonly (readonly number[])[],
  served?: Served,
): Promise<readonly (readonly Choice[])[]> {
  const all: (readonly Choice[])[] = [];
  for (const tokens of texts) {
    const given = tokens.slice(0, -1);
    const places = Array.from({ length: WRITTEN }, (_, index) => given.length - WRITTEN + index);
    const theirs = served === undefined ? tokens.slice(-WRITTEN) : await served.top(given, places);
    const rows = rowsOf(await graph.after(given, places), graph.vocabulary);
    all.push(rows.map((row, index) => choice(row, theirs[index] ?? 0)));
  }
  return all;
}

function choice(row: Float32Array, theirs: number): Choice {
  const own = indexOfLargest(row);
  return { own, theirs, gap: row[own]! - row[theirs]! };
}

const differs = ({ own, theirs }: Choice): boolean => own !== theirs;

function continuationFindings(all: readonly (readonly Choice[])[], limit: number): readonly Finding[] {
  // Behind the first difference the two would go on with different texts.
  const partings = all.flatMap((choices) => choices.find(differs) ?? []);
  const what = `f32 + adapter: same ${WRITTEN} greedy tokens, share of ${all.length} prompts`;
  return [
    { name: "continuation f32", what, value: 1 - partings.length / all.length, bound: { atLeast: 0.95 } },
    gapFinding("f32", partings, limit),
  ];
}

function forcedFindings(kind: FileKind, all: readonly (readonly Choice[])[], limit: number): readonly Finding[] {
  const choices = all.flat();
  const apart = choices.filter(differs);
  const what = `${kind} + adapter: same top token, share of ${choices.length} places`;
  return [
    { name: `top token ${kind}`, what, value: 1 - apart.length / choices.length, bound: { atLeast: 0.97 } },
    gapFinding(kind, apart, limit),
  ];
}

function gapFinding(kind: FileKind, apart: readonly Choice[], limit: number): Finding {
  return {
    name: `gap ${kind}`,
    what: `${kind} + adapter: logit gap where they differ, largest`,
    value: Math.max(0, ...apart.map(({ gap }) => gap)),
    bound: { atMost: limit },
    note: `${apart.length} places; the bound is ${NOISE} standard deviations`,
  };
}

/** Part f: the adapter merged into the fp32 file. */
export async function compareMerged(setting: Setting, tensors: readonly LoraTensor[]): Promise<readonly Finding[]> {
  const { runtime, files, folder, texts } = setting;
  const [merged, adapter] = [join(folder, "merged.gguf"), join(folder, "adapter.gguf")];
  const weights = { architecture: "llama", alpha, tensors };
  await mergeInto({ base: await readGguf(files.f32), path: merged, adapter: weights });
  await writeGgufAdapter({ path: adapter, ...weights });
  const given = texts.heldOut.slice(0, 4).map(({ tokens }) => tokens);
  const graph = (basePath: string, options = {}) => openLogits({ runtime, basePath, ...options });
  const served = (path: string, options = {}) => openServed({ path, attention: "single", ...options });
  const inGraph = await apart(given, await graph(files.f32, { adapter: { tensors, rank, alpha } }), await graph(merged));
  const inServed = await apart(given, await served(files.f32, { adapter }), await served(merged));
  return [
    { name: "merged graph", what: "merged fp32 against base + adapter, graph's logits", value: inGraph, bound: { atMost: 2e-3 } },
    { name: "merged llama.cpp", what: "merged fp32 against base + adapter, llama.cpp's logits", value: inServed, bound: { atMost: 2e-2 } },
  ];
}

interface Scorer extends AsyncDisposable {
  after(tokens: readonly number[], rows: readonly number[]): Promise<Float32Array>;
}

/** The largest difference of any logit of two models, which are closed. */
async function apart(texts: readonly (readonly number[])[], first: Scorer, second: Scorer): Promise<number> {
  await using one = first;
  await using other = second;
  let largest = 0;
  for (const tokens of texts) {
    const places = tokens.map((_, index) => index);
    largest = Math.max(largest, largestDifference(await one.after(tokens, places), await other.after(tokens, places)));
  }
  return largest;
}
