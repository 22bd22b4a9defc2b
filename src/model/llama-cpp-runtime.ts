// Loads llama.cpp once for the process, only when a local model is asked for. Knows nothing of models or prompts.
import { availableParallelism } from "node:os";
import type * as NodeLlamaCpp from "node-llama-cpp";
import { messageOf, UserError } from "../errors.ts";
import { importPackage } from "../util/import-package.ts";

type LlamaModule = typeof NodeLlamaCpp;

export interface LlamaRuntime {
  readonly module: LlamaModule;
  readonly llama: NodeLlamaCpp.Llama;
  readonly version: string;
}

let loading: Promise<LlamaRuntime> | undefined;

/**
 * The process's llama.cpp. `packagesFolder` is where `sartor setup local` put it, tried when the package does not lie beside this
 * one. Throws {@link UserError} when neither place has it or it does not run on this machine.
 */
export async function llamaRuntime({ packagesFolder }: { packagesFolder?: string | undefined } = {}): Promise<LlamaRuntime> {
  loading ??= load(packagesFolder);
  try {
    return await loading;
  } catch (error) {
    loading = undefined;
    throw error;
  }
}

async function load(packagesFolder: string | undefined): Promise<LlamaRuntime> {
  const module = await importModule(packagesFolder);
  try {
    const llama = await module.getLlama({
      gpu: false,
      // A default of 4 threads on 2 cores is 34 times slower.
      maxThreads: availableParallelism(),
      // Else a binary that does not load starts a download and a compiler.
      build: "never",
      skipDownload: true,
      progressLogs: false,
      logLevel: module.LlamaLogLevel.error,
      logger: () => undefined,
    });
    return { module, llama, version: await module.getModuleVersion() };
  } catch (cause) {
    throw new UserError(
      `llama.cpp does not run on this machine: ${messageOf(cause)}. Run "sartor setup local", or name a server as the model.`,
      { cause },
    );
  }
}

async function importModule(packagesFolder: string | undefined): Promise<LlamaModule> {
  try {
    return await importPackage({ name: "node-llama-cpp", beside: () => import("node-llama-cpp"), folder: packagesFolder });
  } catch (cause) {
    throw new UserError(
      `A local model needs the package "node-llama-cpp", which is not installed. Run "sartor setup local", or name a server as the model.`,
      {
        cause,
      },
    );
  }
}
