// The architectures by name: which configuration a file has, which parameters a configuration has, and whether the file holds them.

import { UserError } from "../errors.ts";
import { gemma3 } from "./architecture/gemma3.ts";
import { llama } from "./architecture/llama.ts";
import { phi3 } from "./architecture/phi3.ts";
import { qwen2 } from "./architecture/qwen2.ts";
import { qwen3 } from "./architecture/qwen3.ts";
import type { Architecture } from "./architecture.ts";
import type { ArchitectureName, DecoderConfig } from "./config.ts";
import { normOf } from "./layer-parameters.ts";
import { checkTensor, type ModelFile, refuse, shown } from "./model-file.ts";
import { allParameters, type DecoderParameters, type Parameter } from "./parameters.ts";

export const architectures: { readonly [A in ArchitectureName]: Architecture } = { llama, qwen2, qwen3, gemma3, phi3 };

/**
 * The configuration of a model in a GGUF file.
 * @throws {UserError} for an architecture, or a variant of one, that cannot be tuned here, and for a file that lacks tensors.
 */
export async function decoderConfig(file: ModelFile): Promise<DecoderConfig> {
  const name = file.metadata["general.architecture"];
  if (!isArchitecture(name)) {
    throw new UserError(
      `${file.path} has the architecture ${shown(name)}; tuned can be ${Object.keys(architectures).join(", ")}. Choose a model of one of these (sartor models), or adapt this one by prompts or retrieval.`,
    );
  }
  const config = await architectures[name].config(file);
  checkTensors(config, file);
  return config;
}

export function decoderParameters(config: DecoderConfig): DecoderParameters {
  const { architecture, layers, vocabulary, width, tied } = config;
  const table = (tensor: string, kind: Parameter["kind"]): Parameter => {
    return { name: tensor, shape: [vocabulary, width], parts: [{ tensor, rows: vocabulary }], kind };
  };
  const embedding = table("token_embd.weight", "embedding");
  return {
    embedding,
    layers: Array.from({ length: layers }, (_, layer) => architectures[architecture].layer(config, layer)),
    outputNorm: normOf("output_norm.weight", width),
    output: tied ? embedding : table("output.weight", "linear"),
  };
}

function isArchitecture(name: unknown): name is ArchitectureName {
  return typeof name === "string" && Object.hasOwn(architectures, name);
}

/** Every tensor of the model is in the file with its shape, and the file has none that the graph would leave out. */
function checkTensors(config: DecoderConfig, file: ModelFile): void {
  const known = new Set(architectures[config.architecture].constants);
  for (const {
    parts,
    shape: [, ...columns],
  } of allParameters(decoderParameters(config))) {
    for (const { tensor, rows } of parts) {
      checkTensor(file, tensor, [rows, ...columns]);
      known.add(tensor);
    }
  }
  for (const tensor of file.tensors.keys()) if (!known.has(tensor)) refuse(file, `the tensor ${shown(tensor)}`);
}
