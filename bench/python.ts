// The Python side of a bench: a script of bench/peer/ that answers one line of JSON with one line of JSON.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface PythonPeer extends AsyncDisposable {
  ask<A>(command: unknown): Promise<A>;
}

export interface StartPythonOptions {
  /** A file of bench/peer/. */
  readonly script: string;
  /** What the script is given as its one argument. */
  readonly options: unknown;
  /** A Python with the packages of bench/peer/requirements.txt. */
  readonly python?: string | undefined;
}

/** The script, running; undefined, and a line that says why, where there is no such Python. */
export async function startPython({
  script,
  options,
  python = fileURLToPath(new URL("../.peer/bin/python", import.meta.url)),
}: StartPythonOptions): Promise<PythonPeer | undefined> {
  if (!existsSync(python)) {
    console.log(`No ${python}, so no peer: python -m venv .peer && .peer/bin/pip install -r bench/peer/requirements.txt`);
    return undefined;
  }
  const path = fileURLToPath(new URL(`peer/${script}`, import.meta.url));
  const child = spawn(python, [path, JSON.stringify(options)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask<A>(command: unknown) {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${script} ended early.`);
      return JSON.parse(value) as A;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      child.stdin.end();
      await once(child, "exit");
    },
  };
}
