// `sartor init`: a task from a folder of data.
import { initTask } from "../index.ts";

export async function init(folder: string): Promise<void> {
  const { path, guesses, notices } = await initTask({ folder });
  for (const { field, value, why } of guesses) console.log(`${field}: ${value} - ${why}`);
  for (const notice of notices) console.log(`note: ${notice}`);
  console.log(`\nWrote ${path}. Read it through, then run: sartor plan ${folder}`);
}
