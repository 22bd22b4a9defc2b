// `sartor ask`: an answer with its sources, by the recommended candidate; questions from standard input, a line each.
import { openServed, type ServedAnswer, UserError } from "../index.ts";
import { askIndexVerb, type AskIndexVerbOptions } from "./ask-index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { lines } from "./lines.ts";
import { sourceLine } from "./source-line.ts";

interface AskVerbOptions extends Omit<AskIndexVerbOptions, "index"> {
  readonly task: string;
  readonly candidate?: string;
  readonly run?: string;
  readonly index?: string;
}

export async function askVerb(question: string | undefined, options: AskVerbOptions): Promise<void> {
  if (options.index !== undefined) return askIndexVerb(question, { ...options, index: options.index });
  const signal = interruptSignal();
  await using served = await openServed({
    path: options.task,
    environment: readEnvironment(),
    signal,
    ...(options.run === undefined ? {} : { run: options.run }),
  });
  let asked = 0;
  for await (const input of question === undefined ? lines("A question a line; end with Ctrl-D.") : [question]) {
    if (input === "") continue;
    const given = await served.ask({ input, signal, ...(options.candidate === undefined ? {} : { candidate: options.candidate }) });
    asked++;
    console.log(options.json === true ? JSON.stringify({ input, ...given }) : shown(given));
  }
  if (asked === 0) throw new UserError('No question was given. Write: sartor ask "How far does the battery last?"');
}

function shown({ output, cited, passages, candidate, seconds }: ServedAnswer): string {
  const sources = passages.map((passage, index) => sourceLine(index + 1, passage));
  return [
    cited?.output ?? output,
    ...(sources.length === 0 ? [] : ["", "Sources:", ...sources]),
    "",
    `(${candidate}, ${seconds.toFixed(2)} s)`,
  ].join("\n");
}
