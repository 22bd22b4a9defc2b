// `sartor init`: a task from a folder of data.
import { initTask } from "../index.ts";

export async function init(folder: string): Promise<void> {
  const { path, guesses } = await initTask({ folder });
  for (const guess of guesses) console.log(guess);
  console.log(`\nWrote ${path}. Read it through, then run: sartor plan ${folder}`);
}
