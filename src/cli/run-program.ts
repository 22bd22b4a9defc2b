// Runs the command line: one line and exit code 1 for a user's error, 130 after Ctrl-C, a stack only with --debug.
import type { Command } from "commander";

export async function runProgram(program: Command): Promise<void> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  try {
    await program.parseAsync();
  } catch (error) {
    const debug = program.opts<{ debug?: boolean }>().debug === true;
    if (named(error, "AbortError")) {
      process.stderr.write("\nStopped. The same command goes on from here.\n");
      process.exit(130);
    }
    const hint = debug || !(error instanceof Error) ? "" : (hints[error.name] ?? " (This is a bug of ours; --debug shows where.)");
    process.stderr.write(`sartor: ${error instanceof Error ? error.message : String(error)}${hint}\n`);
    if (debug && error instanceof Error)
      process.stderr.write(`${error.stack ?? ""}\n${error.cause instanceof Error ? (error.cause.stack ?? "") : ""}\n`);
    process.exit(1);
  }
  process.exit(process.exitCode ?? 0);
}

/** What is said after a message, by the error's name. */
const hints: { readonly [name: string]: string } = {
  UserError: "",
  ContextOverflow: "",
  ModelUnavailable: " Start that server, or change the url in the task's models.",
};

/** By name: importing the library here would make --help wait for it. */
const named = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;
