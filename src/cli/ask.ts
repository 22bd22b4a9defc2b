// `sartor ask`: an answer with its sources, by the recommended candidate; questions from standard input, a line each.
import { createInterface } from "node:readline";
import { type Answer, dayNamed, openServed, type Passage, pagesNamed, UserError } from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";

interface AskVerbOptions {
  readonly task: string;
  readonly candidate?: string;
  readonly run?: string;
  readonly json?: boolean;
}

export async function askVerb(question: string | undefined, options: AskVerbOptions): Promise<void> {
  const signal = interruptSignal();
  await using served = await openServed({
    path: options.task,
    environment: readEnvironment(),
    signal,
    ...(options.run === undefined ? {} : { run: options.run }),
  });
  let asked = 0;
  for await (const input of question === undefined ? questions() : [question]) {
    const given = await served.ask({ input, signal, ...(options.candidate === undefined ? {} : { candidate: options.candidate }) });
    asked++;
    console.log(options.json === true ? JSON.stringify({ input, ...given }) : shown(given));
  }
  if (asked === 0) throw new UserError('No question was given. Write: sartor ask "How far does the battery last?"');
}

async function* questions(): AsyncIterable<string> {
  if (process.stdin.isTTY) process.stderr.write("A question a line; end with Ctrl-D.\n");
  for await (const line of createInterface({ input: process.stdin })) if (line.trim() !== "") yield line;
}

function shown({ output, passages, candidate, seconds }: Answer & { candidate: string }): string {
  const sources = passages.map(
    (passage, index) =>
      `  [${index + 1}] ${passage.document}${placeOf(passage)} ${passage.start}-${passage.end}${dayNamed(passage) === "" ? "" : `, ${dayNamed(passage)}`}: ${passage.text.replace(/\s+/gu, " ").slice(0, 90)}`,
  );
  return [output, ...(sources.length === 0 ? [] : ["", "Sources:", ...sources]), "", `(${candidate}, ${seconds.toFixed(2)} s)`].join("\n");
}

const placeOf = (passage: Passage): string => (pagesNamed(passage) === "" ? "" : `, ${pagesNamed(passage)},`);
