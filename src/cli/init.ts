// `sartor init`: a task from a folder of data; with --synthetic, questions from its documents first.
import { initTask, synthesizeExamples, UserError } from "../index.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { wholeNumber } from "./options.ts";
import { createProgress } from "./progress.ts";

interface InitVerbOptions {
  readonly synthetic?: string;
  readonly model?: string;
  readonly embedding?: string;
  readonly seed?: string;
}

export async function init(folder: string, options: InitVerbOptions): Promise<void> {
  const { synthetic, model, embedding, seed } = options;
  if (synthetic === undefined && (model ?? embedding ?? seed) !== undefined)
    throw new UserError("--model, --embedding and --seed are about synthetic questions. Add --synthetic <count>, or leave them out.");
  if (synthetic !== undefined && (await synthesize(folder, wholeNumber(synthetic, "--synthetic"), options))) return;
  const { path, guesses, notices } = await initTask({ folder });
  for (const { field, value, why } of guesses) console.log(`${field}: ${value} - ${why}`);
  for (const notice of notices) console.log(`note: ${notice}`);
  console.log(`\nWrote ${path}. Read it through, then run: sartor plan ${folder}`);
}

/** Whether there is a task already. */
async function synthesize(folder: string, count: number, { model, embedding, seed }: InitVerbOptions): Promise<boolean> {
  let task: string | undefined;
  const progress = createProgress();
  const making = synthesizeExamples({
    folder,
    count,
    environment: readEnvironment(),
    signal: interruptSignal(),
    ...(model === undefined ? {} : { model }),
    ...(embedding === undefined ? {} : { embedding }),
    ...(seed === undefined ? {} : { seed: wholeNumber(seed, "--seed") }),
  });
  for await (const event of making) {
    if (event.kind === "passage") progress.update(`${event.kept} questions from ${event.done} of ${event.of} passages`, event.kept / count);
    if (event.kind === "done") {
      progress.clear();
      const { examples, made, dropped } = event;
      const ways = [`${made.model} worded by the model`, `${made.rule} by rules`, `${made.gap} with a gap`].filter(
        (way) => !way.startsWith("0 "),
      );
      console.log(`${examples.length} questions from ${new Set(examples.map(({ group }) => group)).size} documents: ${ways.join(", ")}.`);
      console.log(`Left out: ${dropped.notFound} whose passage is not found again, ${dropped.repeated} that another nearly says.`);
    }
    if (event.kind === "written") {
      for (const notice of event.notices) console.log(`note: ${notice}`);
      console.log(`Wrote ${event.path}. They are synthetic: look them over, and add people's own where you can.`);
      task = event.task;
      console.log(task === undefined ? "" : `Name synthetic.jsonl under "examples" in ${task} to use them.`);
    }
  }
  return task !== undefined;
}
