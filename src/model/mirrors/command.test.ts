import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { NoSuchCommand, runCommand } from "./command.ts";

const folder = tmpdir();

test("a command that fails tells its last words", async () => {
  await runCommand({ command: [process.execPath, "--version"], folder });
  await expect(runCommand({ command: [process.execPath, "--no-such-option"], folder })).rejects.toThrow(/ended with 9: .*no-such-option/);
});

test("a program that is not there is told apart", async () => {
  await expect(runCommand({ command: ["no-such-program-here"], folder })).rejects.toThrow(NoSuchCommand);
});

test("an aborted command is ended", async () => {
  await expect(
    runCommand({ command: [process.execPath, "--version"], folder, signal: AbortSignal.abort(new Error("enough")) }),
  ).rejects.toThrow("enough");
});
