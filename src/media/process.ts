// A child process that answers one request at a time, and is ended when it takes too long. Knows nothing of what it is asked.
import { type ChildProcess, fork } from "node:child_process";

export class Process<Q extends object, A> {
  readonly #module: URL;
  #child: ChildProcess | undefined;

  /** `beside`: URL of the caller; `name`: of a module in the same folder. */
  constructor(beside: URL, name: string) {
    const source = beside.pathname.endsWith(".ts");
    this.#module = new URL(`./${name}.${source ? "ts" : "js"}`, beside);
  }

  /** Starts it unless it runs; whether it was started. Resolves when it listens. */
  async start(): Promise<boolean> {
    if (this.#child !== undefined) return false;
    // TypeScript source (tests, examples) needs tsx to be read.
    const execArgv = this.#module.pathname.endsWith(".ts") ? ["--import", import.meta.resolve("tsx")] : [];
    const child = fork(this.#module, [], { execArgv, serialization: "advanced", stdio: ["ignore", "ignore", "ignore", "ipc"] });
    this.#child = child;
    child.on("error", () => undefined);
    child.once("exit", () => {
      if (this.#child === child) this.#child = undefined;
    });
    if ((await answerOf(child)) === "ended") throw new Error(`The process ${this.#module.pathname} does not start.`);
    return true;
  }

  /** `late` where it took longer, and `ended` where it ended: then it has to be started again. */
  async ask(request: Q, seconds: number): Promise<A | "late" | "ended"> {
    const child = this.#child;
    if (child === undefined) return "ended";
    const late = setTimeout(() => this.end(), seconds * 1000);
    const answer = answerOf<A>(child);
    // Only a request under way keeps this process alive.
    child.ref();
    child.channel?.ref();
    child.send(request, () => undefined);
    try {
      const given = await answer;
      return given === "ended" && this.#child === undefined && child.killed ? "late" : given;
    } finally {
      clearTimeout(late);
      child.unref();
      child.channel?.unref();
    }
  }

  end(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }
}

function answerOf<A>(child: ChildProcess): Promise<A | "ended"> {
  return new Promise((resolve) => {
    const settle = (answer: A | "ended"): void => {
      child.off("message", settle);
      child.off("exit", ended);
      resolve(answer);
    };
    const ended = (): void => settle("ended");
    child.on("message", settle);
    child.once("exit", ended);
    if (child.exitCode !== null || child.signalCode !== null) ended();
  });
}
