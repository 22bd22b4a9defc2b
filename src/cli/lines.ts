// Lines of standard input, with a word of what they are where somebody types them.
import { createInterface } from "node:readline";

/** Each line without space at its ends. */
export async function* lines(hint: string): AsyncIterable<string> {
  if (process.stdin.isTTY) process.stderr.write(`${hint}\n`);
  for await (const line of createInterface({ input: process.stdin })) yield line.trim();
}
