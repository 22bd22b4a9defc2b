// Byte-level BPE learnt from all of tinyshakespeare, beside the Python package tokenizers: the same merges, the same ids, and the times.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createTokenizer } from "../src/tokenizer/bpe.ts";
import { trainBpe } from "../src/tokenizer/train-bpe.ts";
import { type BenchOptions, figure, printTable, readArguments } from "./bench.ts";
import { startPython } from "./python.ts";

const vocabularySize = 4096;
const specialTokens = ["<|endoftext|>"];
const rounds = 3;

interface Side {
  readonly merges: readonly string[];
  readonly ids: readonly number[];
  readonly seconds: number;
  readonly encodeSeconds: number;
}

/** `--python <path>` names the peer's Python. */
export async function run({ json, data, arguments: given }: BenchOptions & { readonly data: string }): Promise<void> {
  const { python } = readArguments(given, { python: { type: "string" } });
  const path = join(data, "tinyshakespeare", "input.txt");
  const text = await readFile(path, "utf8");
  await using peer = await startPython({ script: "train_bpe.py", options: { path, vocabularySize, specialTokens }, python });
  const [own, theirs]: [Side[], Side[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    own.push(ownSide(text));
    if (peer !== undefined) theirs.push(await peer.ask<Side>({}));
  }
  const mine = quickest(own);
  const other = theirs.length === 0 ? undefined : quickest(theirs);
  const row = (name: string, { merges, ids, seconds, encodeSeconds }: Side): readonly string[] => [
    name,
    String(merges.length),
    String(ids.length),
    figure(seconds),
    figure(encodeSeconds),
  ];
  console.log(`tinyshakespeare, ${text.length} characters, ${vocabularySize} tokens; the quickest of ${rounds} rounds in turns`);
  printTable(
    ["", "merges", "tokens", "learning s", "encoding s"],
    [row("sartor", mine), ...(other === undefined ? [] : [row("tokenizers", other)])],
  );
  if (other === undefined) return;
  const same = { merges: equal(mine.merges, other.merges), ids: equal(mine.ids, other.ids) };
  console.log(`all merges equal: ${same.merges ? "yes" : "no"}; all ids equal: ${same.ids ? "yes" : "no"}`);
  const times = { seconds: mine.seconds, peerSeconds: other.seconds, ratio: other.seconds / mine.seconds };
  if (json) console.log(JSON.stringify({ bench: "tokenizer", vocabularySize, same, ...times }));
}

function ownSide(text: string): Side {
  const started = performance.now();
  const model = trainBpe({ texts: [text], vocabularySize, specialTokens });
  const trained = performance.now();
  const ids = createTokenizer(model).encode(text);
  return { merges: model.merges, ids, seconds: (trained - started) / 1000, encodeSeconds: (performance.now() - trained) / 1000 };
}

const quickest = (sides: readonly Side[]): Side => sides.toSorted((a, b) => a.seconds - b.seconds)[0]!;

const equal = <T>(a: readonly T[], b: readonly T[]): boolean => a.length === b.length && a.every((item, index) => item === b[index]);
