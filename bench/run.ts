// `npm run bench -- <name> [--json]`: one bench by name. Each prints a table and, with --json, one line of JSON last.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { messageOf, UserError } from "../src/errors.ts";
import { didYouMean } from "../src/util/suggest.ts";
import { type BenchOptions, readArguments } from "./bench.ts";

type Data = { readonly data: string };

/** Loaded only when run; those that need the public data say so. */
const benches: { readonly [name: string]: { readonly about: string; readonly run: (options: BenchOptions) => Promise<void> } } = {
  banking77: {
    about: "intents from 20 examples a class, every label strategy",
    run: withData(async (options) => (await import("./banking77.ts")).run(options)),
  },
  squad: {
    about: "questions on unseen articles: closed book, RAG, LoRA, chains",
    run: withData(async (options) => (await import("./squad.ts")).run(options)),
  },
  forgetting: {
    about: "task score against forgetting: replay, KL, averaging",
    run: withData(async (options) => (await import("./forgetting.ts")).run(options)),
  },
  estimate: {
    about: "time and memory told before a training run beside what it takes",
    run: async (options) => (await import("./estimate.ts")).run(options),
  },
  large: {
    about: "LoRA on half a billion weights: memory and time, quantised and as more than 2 GB of float32",
    run: async (options) => (await import("./large.ts")).run(options),
  },
  retrieval: {
    about: "nDCG@10 and R@100 of every scorer on six public collections (--sets, --runs <folder>)",
    run: withData(async (options) => (await import("./retrieval.ts")).run(options)),
  },
  conversations: {
    about: "nDCG@10 of follow-ups on mtrag: last question alone, with those before it, condensed by the model (--model)",
    run: withData(async (options) => (await import("./conversations.ts")).run(options)),
  },
  hops: {
    about: "recall of answers zero, one and two ties away in a small knowledge graph, by ties followed",
    run: async (options) => (await import("./hops.ts")).run(options),
  },
  scale: {
    about: "10,000 to 1,000,000 passages: time, memory, recall, beside LanceDB and LlamaIndex (--passages, --systems)",
    run: async (options) => (await import("./scale.ts")).run(options),
  },
  embed: {
    about: "passages embedded a second, beside sentence-transformers (--python <path>)",
    run: withData(async (options) => (await import("./embed.ts")).run(options)),
  },
  documents: {
    about: "share of the words of reference Markdown that is read from each format",
    run: withData(async (options) => (await import("./documents.ts")).run(options)),
  },
  faithfulness: {
    about: "local metrics of faithfulness beside people's ratings and large judges on MTRAG",
    run: withData(async (options) => (await import("./faithfulness.ts")).run(options)),
  },
  abstention: {
    about: "how well retrieval alone tells when not to answer: area under the risk-coverage curve (--questions <n>)",
    run: withData(async (options) => (await import("./abstention.ts")).run(options)),
  },
  injection: {
    about: "attacks by retrieved text: how often they get their way, unprotected and as served (--show)",
    run: async (options) => (await import("./injection.ts")).run(options),
  },
  train: {
    about: "tokens a second of LoRA, beside PyTorch and PEFT (--python <path>, --only lora | 'fast lora' | full | 'first step')",
    run: async ({ json, arguments: given }) => {
      const { python, only } = readArguments(given, { python: { type: "string" }, only: { type: "string" } });
      await (await import("./train.ts")).run({ json, ...(python !== undefined && { python }), ...(only !== undefined && { only }) });
    },
  },
  lengths: {
    about: "seconds of a step by the length of a sequence, 64 to 2,048 (--write, --python <path>)",
    run: async (options) => (await import("./lengths.ts")).run(options),
  },
  precision: {
    about: "validation loss of the fast mode against the exact one's, three tasks by three seeds",
    run: withData(async (options) => (await import("./precision.ts")).run(options)),
  },
  exactness: {
    about: "steps beside PyTorch and PEFT, logits and adapters beside llama.cpp (--python <path>)",
    run: withData(async (options) => (await import("./exactness.ts")).run(options)),
  },
  architectures: {
    about: "tiny models of each architecture, beside transformers and PEFT (--python <path>)",
    run: async ({ json, arguments: given }) => {
      const { python } = readArguments(given, { python: { type: "string" } });
      await (await import("./architectures.ts")).run({ json, ...(python === undefined ? {} : { python }) });
    },
  },
  pretrain: {
    about: "a small model from scratch on tinyshakespeare, beside PyTorch (--python <path>)",
    run: withData(async (options) => (await import("./pretrain.ts")).run(options)),
  },
  vocabulary: {
    about: "new tokens for a field's words: tokens saved, bits a character before and after a few steps",
    run: withData(async (options) => (await import("./vocabulary.ts")).run(options)),
  },
  tokenizer: {
    about: "BPE merges and time on tinyshakespeare, beside tokenizers (--python <path>)",
    run: withData(async (options) => (await import("./tokenizer.ts")).run(options)),
  },
  steady: {
    about: "whether training leaves the event loop to others and holds no more memory",
    run: async (options) => (await import("./steady.ts")).run(options),
  },
  simulation: {
    about: "how often the rule of choice errs, by simulation",
    run: async (options) => (await import("./simulation.ts")).run(options),
  },
};

function withData(run: (options: BenchOptions & Data) => Promise<void>): (options: BenchOptions) => Promise<void> {
  return async (options) => {
    if (options.data !== undefined) return run({ ...options, data: options.data });
    const reason = `skipped: the public data is not at ${dataFolder}`;
    console.log(reason);
    if (options.json) console.log(JSON.stringify({ skipped: reason }));
  };
}

const dataFolder = fileURLToPath(new URL("../../shared/data", import.meta.url));

async function main(): Promise<void> {
  const [name, ...rest] = process.argv.slice(2);
  const list = Object.entries(benches).map(([known, { about }]) => `  ${known.padEnd(12)}${about}`);
  if (name === undefined) return console.log(`Usage: npm run bench -- <name> [--json]\n${list.join("\n")}`);
  const bench = benches[name];
  if (bench === undefined) throw new UserError(`There is no bench "${name}". ${didYouMean(name, Object.keys(benches))}`);
  const data = existsSync(dataFolder) ? dataFolder : undefined;
  await bench.run({ json: rest.includes("--json"), data, arguments: rest.filter((one) => one !== "--json") });
}

try {
  await main();
} catch (error) {
  console.error(error instanceof UserError ? `bench: ${messageOf(error)}` : error);
  process.exitCode = 1;
}
