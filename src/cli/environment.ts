// The only reader of environment variables: what this machine gives, as plain values.
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { defaultModelsFolder, type Environment, type Provider, providers, UserError } from "../index.ts";

export function readEnvironment(): Environment {
  const { SARTOR_MODELS, SARTOR_THREADS, SARTOR_PROVIDER, HF_TOKEN } = process.env;
  const modelsFolder = defaultModelsFolder(process.env);
  return {
    modelsFolder,
    packagesFolder: join(modelsFolder, "..", "local"),
    extraFolders: SARTOR_MODELS === undefined ? [] : [SARTOR_MODELS],
    threads: SARTOR_THREADS === undefined ? availableParallelism() : positive(SARTOR_THREADS, "SARTOR_THREADS"),
    ...(SARTOR_PROVIDER === undefined ? {} : { provider: known(SARTOR_PROVIDER) }),
    memoryBytes: totalmem(),
    contextLength: 2048,
    secret: (variable) => process.env[variable],
    ...(HF_TOKEN === undefined ? {} : { hubToken: HF_TOKEN }),
  };
}

function known(text: string): Provider {
  const provider = providers.find((one) => one === text);
  if (provider !== undefined) return provider;
  throw new UserError(`SARTOR_PROVIDER is "${text}". Set it to one of ${providers.join(", ")}, or unset it.`);
}

function positive(text: string, name: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new UserError(`${name} is "${text}". Set it to a whole number above 0, or unset it.`);
}

/** A signal that Ctrl-C aborts; a second Ctrl-C ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => {
    controller.abort();
    process.once("SIGINT", () => process.exit(130));
  });
  process.once("SIGTERM", () => controller.abort());
  return controller.signal;
}
