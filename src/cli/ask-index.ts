// `sartor ask --index`: answers from an index, each sentence with what supports it; lines of standard input are turns.
import { type AskIndexOptions, type IndexAnswer, type ModelReference, openAsking, parseCondition, type Turn, UserError } from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { lines } from "./lines.ts";
import { share, wholeNumber } from "./options.ts";
import { sourceLine } from "./source-line.ts";

export interface AskIndexVerbOptions extends Pick<AskIndexOptions, "by" | "method" | "order" | "rewrite" | "judge"> {
  readonly index: string;
  readonly model?: string;
  readonly url?: string;
  readonly keyVariable?: string;
  readonly passages?: string;
  readonly budget?: string;
  readonly compress?: string;
  readonly rerank?: string;
  readonly rerankWith?: string;
  readonly abstainBelow?: string;
  readonly where?: readonly string[];
  readonly json?: boolean;
}

export async function askIndexVerb(question: string | undefined, options: AskIndexVerbOptions): Promise<void> {
  const signal = interruptSignal();
  const asking: AskIndexOptions = { ...askOptions(options), signal };
  const model = modelOf(options);
  await using opened = await openAsking({ index: options.index, environment: readEnvironment(), signal, ...(model && { model }) });
  let history: readonly Turn[] = [];
  let asked = 0;
  for await (const input of question === undefined ? lines("A turn a line, an empty line begins anew; end with Ctrl-D.") : [question]) {
    if (input === "") {
      history = [];
      continue;
    }
    const given = await opened.ask(input, { ...asking, history });
    asked++;
    history = [...history, { role: "user", content: input }, { role: "assistant", content: given.output }];
    console.log(options.json === true ? JSON.stringify(given) : shown(given));
  }
  if (asked === 0) throw new UserError('No question was given. Write: sartor ask --index .sartor/index "How far does the battery last?"');
}

function askOptions(options: AskIndexVerbOptions): AskIndexOptions {
  const { by, method, order, rewrite, judge, passages, budget, compress, rerank, rerankWith, abstainBelow, where = [] } = options;
  return {
    where: where.map(parseCondition),
    ...(by && { by }),
    ...(method && { method }),
    ...(order && { order }),
    ...(rewrite && { rewrite }),
    ...(judge && { judge }),
    ...(passages !== undefined && { passages: wholeNumber(passages, "--passages") }),
    ...(budget !== undefined && { budget: wholeNumber(budget, "--budget") }),
    ...(compress !== undefined && { compress: wholeNumber(compress, "--compress") }),
    ...(rerank !== undefined && { rerank: wholeNumber(rerank, "--rerank") }),
    ...(rerankWith !== undefined && { crossEncoder: rerankWith }),
    ...(abstainBelow !== undefined && { abstainBelow: share(abstainBelow, "--abstain-below") }),
  };
}

function modelOf({ model, url, keyVariable }: AskIndexVerbOptions): ModelReference | undefined {
  if (url === undefined) return model;
  if (model === undefined) throw new UserError(`--url is ${url}, and no model of that server is named. Add --model <name>.`);
  return { url, model, ...(keyVariable && { keyVariable }) };
}

function shown({ output, query, question, abstained, sources, citations, sentences, seconds }: IndexAnswer): string {
  const cited = sources.filter((source) => source.cited).map((source) => sourceLine(source.number, source));
  const bare = abstained ? 0 : sentences.filter((sentence) => sentence.citations.length === 0).length;
  const notes = [
    ...(query === question ? [] : [`searched for: ${query}`]),
    ...(citations.dropped === 0 ? [] : [`${citations.dropped} of ${citations.given} citations did not hold and were dropped`]),
    ...(bare === 0 ? [] : [`${bare} of ${sentences.length} sentences stand in no passage`]),
    `${seconds.toFixed(2)} s`,
  ];
  return [output, ...(cited.length === 0 ? [] : ["", "Sources:", ...cited]), "", `(${notes.join("; ")})`].join("\n");
}
