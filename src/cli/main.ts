#!/usr/bin/env node
// The command line: one file a verb, loaded only when called, so that --help is instant.
import { Command, Option } from "commander";
import type { AskIndexOptions, ChunkMethod, EffortName, Scorer, SearchIndexOptions, TuneMethod, TuneOptions } from "../index.ts";
import { version } from "./version.ts";

const program = new Command("sartor")
  .description(
    "Cuts a language model to fit a task: builds candidates with every technique, measures them on examples none has seen, recommends one and serves it.",
  )
  .version(version)
  .option("--debug", "show where an error came from")
  .showSuggestionAfterError()
  .configureHelp({ sortSubcommands: false });

const json = (): Option => new Option("--json", "print JSON instead of a table");
const budget = (): Option => new Option("--budget <time>", "time to plan for, as in 10m or 1h");
const effort = (): Option =>
  new Option("--effort <level>", "how much each strategy may try").choices([
    "brief",
    "quick",
    "standard",
    "thorough",
  ] satisfies EffortName[]);
const strategies = (): Option => new Option("--strategies <list>", 'comma-separated, chains as in "rag-bm25 > lora"');
const models = (): Option => new Option("--models <list>", "comma-separated catalogue names or paths of .gguf files");
const index = (): Option => new Option("--index <folder>", "the index").default(".sartor/index");
const method = (): Option =>
  new Option("--method <name>", "scorer (default: convex with embeddings, else bm25)").choices([
    "tf-idf",
    "bm25",
    "dense",
    "hybrid",
    "convex",
  ] satisfies Scorer[]);
const rewrite = (): Option =>
  new Option("--rewrite <how>", "have a language model rewrite the query").choices([
    "rephrase",
    "decompose",
    "hyde",
    "condense",
  ] satisfies SearchIndexOptions["rewrite"][]);
const where = (): Option =>
  new Option("--where <condition...>", "only documents whose metadata meets it, as in author=Smith or year>=2020");
const run = (): Option => new Option("--run <id>", "a run other than the newest");

program
  .command("init [folder]")
  .description("make a task (sartor.yaml) from a folder of data")
  .option("--synthetic <count>", "make so many questions from the documents first, for people to look over (synthetic.jsonl)")
  .option("--model <name>", "with --synthetic: a language model words them (default: rules do, for English)")
  .option("--embedding <name>", "with --synthetic: an embedding model helps to check them (default: words alone do)")
  .option("--seed <number>", "with --synthetic: other passages (default: 0)")
  .action(async (folder: string | undefined, options) => (await import("./init.ts")).init(folder ?? ".", options));

program
  .command("plan [task]")
  .description("what each technique will need here, and which cannot run and why")
  .addOption(budget())
  .addOption(effort())
  .addOption(strategies())
  .addOption(models())
  .addOption(json())
  .action(async (task: string | undefined, options) => (await import("./plan.ts")).planVerb(task ?? ".", options));

program
  .command("compare [task]")
  .description("build, measure and compare candidates, and recommend one (the main job)")
  .addOption(budget())
  .addOption(effort())
  .addOption(strategies())
  .addOption(models())
  .option("--seed <number>", "another seed for split, search and training")
  .option("--repeats <number>", "build those still in the race again with so many other seeds, to show the spread")
  .addOption(json())
  .action(async (task: string | undefined, options) => (await import("./compare.ts")).compareVerb(task ?? ".", options));

program
  .command("report [task]")
  .description("show the report of a finished comparison again")
  .addOption(run())
  .option("--markdown", "print report.md")
  .addOption(json())
  .action(async (task: string | undefined, options) => (await import("./report.ts")).reportVerb(task ?? ".", options));

program
  .command("advise [task]")
  .description("the eight considerations for choosing, filled with this task's measured figures")
  .addOption(run())
  .addOption(json())
  .action(async (task: string | undefined, options) => (await import("./advise.ts")).adviseVerb(task ?? ".", options));

program
  .command("ask [question]")
  .description("answer with the recommended candidate, with its sources (reads questions from standard input when none is given)")
  .option("--task <folder>", "the task's folder", ".")
  .option("--candidate <id>", "another candidate than the recommended one")
  .addOption(run())
  .option("--index <folder>", "ask an index in place of a task; lines of standard input are turns, an empty one begins anew")
  .addOption(
    new Option("--by <who>", "with an index: sentences of the documents are quoted, or a language model answers (default: quotes)").choices(
      ["quotes", "model"] satisfies AskIndexOptions["by"][],
    ),
  )
  .option("--model <name>", "that language model: a catalogue name or a .gguf file (default: smollm2-135m-instruct)")
  .option("--url <address>", "or a server of the OpenAI protocol that has it")
  .option("--key-variable <name>", "environment variable that holds the server's key")
  .addOption(method())
  .option("--passages <number>", "passages that are read (default: 5)")
  .option("--budget <tokens>", "of passages in the prompt (default: 1200)")
  .option("--compress <tokens>", "only the passages' sentences that match the question, so many tokens of them")
  .addOption(new Option("--order <order>", "of passages in the prompt (default: best-first)").choices(["best-first", "best-last"]))
  .addOption(rewrite())
  .option("--rerank <count>", "have the language model read so many passages and rank them again")
  .option("--rerank-with <folder>", "have a cross-encoder read them in its place (default of --rerank: 20)")
  .option("--judge", "have the language model judge citations")
  .option("--abstain-below <share>", "say that the documents do not say where nothing found answers that well (default: 0.5)")
  .addOption(where())
  .addOption(json())
  .action(async (question: string | undefined, options) => (await import("./ask.ts")).askVerb(question, options));

program
  .command("index [documents...]")
  .description(
    "make documents (files, folders, patterns, https:// addresses) searchable, or bring an index to what its documents are now; costs what changed",
  )
  .addOption(index())
  .option("--forget <path...>", "take out documents that were named before")
  .option("--embedding <name>", "embedding model, folder of one, or none (default: as the index was made, else all-minilm-l6-v2)")
  .addOption(
    new Option("--chunk <method>", "how passages are cut (default: as the index was made, else structure)").choices([
      "structure",
      "sentences",
      "fixed",
      "semantic",
    ] satisfies ChunkMethod[]),
  )
  .option("--watch", "stay, and bring the index to what changes, a line for each change, until Ctrl-C")
  .option("--summaries", "summarise documents and sections, for searches that descend")
  .option("--words <number>", "of a passage (default: as the index was made, else 200)")
  .option("--overlap <number>", "words of the passage before that are repeated (default: a fifth)")
  .addOption(json())
  .action(async (documents: string[], options) => (await import("./index-verb.ts")).indexVerb(documents, options));

program
  .command("search [query]")
  .description("the passages of an index that answer a query (reads queries from standard input when none is given)")
  .addOption(index())
  .addOption(method())
  .option("--limit <number>", "passages at most", "10")
  .addOption(
    new Option("--unit <what>", "what is shown for a passage found (default: passage)").choices([
      "passage",
      "section",
      "document",
    ] satisfies SearchIndexOptions["unit"][]),
  )
  .option("--like <file>", "find what is near this picture or sound (needs an index with a multi-modal embedding model)")
  .option("--descend", "only passages of the best sections of the best documents (needs an index with summaries)")
  .option("--feedback", "add words of what is found first to the query (RM3)")
  .addOption(rewrite())
  .option("--hops <number>", "follow the ties of a knowledge graph from what is found, 1 or 2 far")
  .option("--rerank <count>", "have a language model read so many passages and rank them again")
  .option("--rerank-with <folder>", "have a cross-encoder read them in its place (default of --rerank: 20)")
  .option("--model <name>", "that language model (default: smollm2-135m-instruct)")
  .option("--mmr <lambda>", "rather what is new than what repeats: 1 is relevance alone, 0 difference alone")
  .option("--weight <number>", "of the embeddings in convex, 0 to 1 (default: 0.5)")
  .option("--k1 <number>", "of BM25: how soon a term said again adds no more (default: 0.9)")
  .option("--b <number>", "of BM25: how much long passages are held back, 0 to 1 (default: 0.4)")
  .addOption(where())
  .option("--trec", "a run in TREC's format, a line a document; queries as in q1<tab>text")
  .addOption(json())
  .action(async (query: string | undefined, options) => (await import("./search.ts")).searchVerb(query, options));

program
  .command("mcp [index]")
  .description("serve an index to other programs' models: search and ask over the Model Context Protocol, on standard input and output")
  .option("--model <name>", "the language model that answers where one is asked for (default: smollm2-135m-instruct)")
  .action(async (folder: string | undefined, options) => (await import("./mcp.ts")).mcpVerb(folder ?? ".sartor/index", options));

program
  .command("serve [task]")
  .description("serve the recommended candidate over the OpenAI protocol, any other by name")
  .option("--port <number>", "port to listen on", "8080")
  .option("--host <address>", "address to listen on", "127.0.0.1")
  .addOption(run())
  .action(async (task: string | undefined, options) => (await import("./serve.ts")).serveVerb(task ?? ".", options));

program
  .command("tune")
  .description("fine-tune a model on rows of text, without a task: an adapter for llama.cpp and for PEFT, or a whole model")
  .requiredOption("--model <name>", "a catalogue name, or the path of a .gguf file")
  .requiredOption("--data <file>", "JSONL or CSV: prompt and completion, input and output, messages, or text")
  .option("--validation <file>", "the same for validation (default: a tenth of the data)")
  .option("--output <folder>", "where to write; a stopped run goes on there", "tuned")
  .addOption(new Option("--method <method>", "adapters, or every weight").choices(["lora", "full"] satisfies TuneMethod[]).default("lora"))
  .option("--rank <number>", "of the adapters (default: by the size of the data)")
  .option("--alpha <number>", "the adapters count alpha / rank (default: twice the rank)")
  .option("--rslora", "the adapters count alpha / sqrt(rank)")
  .option("--targets <list>", "layers that are adapted, of q, k, v, o, gate, up, down (default: all)")
  .option("--dropout <share>", "of what adapters read, in training (default: 0)")
  .option("--last-layers <number>", "with full: learn only so many layers from the end")
  .option("--new-tokens <number>", "with full: tokens added for the data's own words, at most (default: 0)")
  .option("--learning-rate <number>", "the highest of the schedule (default: by the size of the model)")
  .addOption(
    new Option("--schedule <curve>", "how the learning rate falls (default: cosine)").choices([
      "cosine",
      "linear",
      "constant",
    ] satisfies TuneOptions["schedule"][]),
  )
  .option("--epochs <number>", "passes over the data at most (default: by the size of the data)")
  .option("--steps <number>", "updates at most")
  .option("--batch-size <number>", "sequences an update (default: by the size of the data)")
  .option("--max-length <number>", "tokens of the longest sequence (default: 1024)")
  .option("--replay <path>", "general text read beside the data, against forgetting: a file or a folder")
  .option("--replay-weight <number>", "what it counts (default: 0.5; 0 with --kl)")
  .option("--kl <weight>", "stay near to the base model: on the replayed text, or on the data's answers")
  .option("--averaging", "weights between the base model's and the tuned, as validation allows")
  .option("--fast", "products with frozen weights by bytes: quicker, a rougher gradient")
  .option("--seed <number>", "another order and start (default: 0)")
  .addOption(json())
  .action(async (options) => (await import("./tune.ts")).tuneVerb(options));

program
  .command("pretrain")
  .description("train a tokenizer and a small model from scratch on text, or a model that there is (--model) on more text")
  .requiredOption("--data <path>", "a folder of documents, one document, or JSONL or CSV with a column text")
  .option("--output <folder>", "where to write; a stopped run goes on there", "pretrained")
  .option("--depth <number>", "layers; the width is 64 times that (default: what the text is enough for)")
  .option("--tokens <number>", "or tokens to read in all; the model is as deep as they are enough for")
  .option("--vocabulary <number>", "tokens of the vocabulary at most (default: by the length of the text)")
  .option("--context <number>", "tokens that the model looks back (default: 256, with a model 512)")
  .option("--seed <number>", "another order and start (default: 0)")
  .option("--model <name>", "go on with this one: a catalogue name, or the path of a .gguf file")
  .option("--new-tokens <number>", "with a model: tokens added for the text's own words, at most (default: 0)")
  .option("--learning-rate <number>", "with a model: the highest of the schedule (default: by the size of the model)")
  .option("--epochs <number>", "with a model: passes over the text at most (default: by the length of the text)")
  .option("--steps <number>", "with a model: updates at most")
  .option("--batch-size <number>", "with a model: sequences an update (default: by the length of the text)")
  .addOption(json())
  .action(async (options) => (await import("./pretrain.ts")).pretrainVerb(options));

const catalogue = program.command("models").description("list, fetch and remove models");
catalogue
  .command("list", { isDefault: true })
  .description("the catalogue, and what is on this machine")
  .addOption(json())
  .action(async (options) => (await import("./models.ts")).listVerb(options));
catalogue
  .command("fetch <name>")
  .description("download a model, going on where a cut one stopped")
  .action(async (name: string) => (await import("./models.ts")).fetchVerb(name));
catalogue
  .command("remove <name>")
  .description("remove a downloaded model")
  .action(async (name: string) => (await import("./models.ts")).removeVerb(name));

program
  .command("setup <what>")
  .description("install the local runtimes (setup local) into a private folder")
  .action(async (what: string) => (await import("./setup.ts")).setupVerb(what));

const { runProgram } = await import("./run-program.ts");
await runProgram(program);
