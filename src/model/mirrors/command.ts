// Runs a package manager in a folder and collects what it says.
import { spawn } from "node:child_process";
import { messageOf } from "../../errors.ts";

export interface CommandOptions {
  readonly command: readonly [string, ...string[]];
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/** Thrown when there is no such program. */
export class NoSuchCommand extends Error {
  override readonly name = "NoSuchCommand";
}

/** Resolves when the command ends well; else throws its last words on standard error. Arguments must need no quoting. */
export async function runCommand({ command: [program, ...parameters], folder, signal }: CommandOptions): Promise<void> {
  signal?.throwIfAborted();
  const { code, said } = await new Promise<{ code: number | null; said: string }>((resolve, reject) => {
    // npm is a script on Windows, which only a shell starts.
    const child = spawn(program, parameters, {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      shell: process.platform === "win32",
      signal,
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (piece: string) => (said = (said + piece).slice(-4000)));
    child.on("error", reject).on("close", (code) => resolve({ code, said }));
  }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") throw new NoSuchCommand(`no "${program}" on this machine`, { cause });
    throw new Error(`${program}: ${messageOf(cause)}`, { cause });
  });
  if (code === 0) return;
  const lines = said
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const words = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "";
  // A Windows shell answers for a program that is not there.
  if (process.platform === "win32" && code === 1 && /is not recognized/.test(said))
    throw new NoSuchCommand(`no "${program}" on this machine`);
  throw new Error(`${program} ended with ${code}: ${words}`);
}
