// Multi-modal models whose weights are made by hand: a CLIP that knows three colours, a CLAP that knows low and high tones; and their files.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync, crc32 } from "node:zlib";
import { floats, integers, node, onnxModel } from "./onnx-model.ts";

const ids = { type: "int64", dims: ["batch", "tokens"] } as const;

/** The sum of the rows of a text's tokens. */
function textModel(rows: readonly (readonly number[])[], output: string): Uint8Array {
  const width = rows[0]!.length;
  return onnxModel({
    inputs: { input_ids: ids },
    outputs: { [output]: ["batch", width] },
    tensors: [floats("rows", [rows.length, width], rows.flat()), integers("tokens", [1])],
    nodes: [node("Gather", ["rows", "input_ids"], "looked-up"), node("ReduceSum", ["looked-up", "tokens"], output, { keepdims: 0n })],
  });
}

function tokenizer(vocabulary: readonly string[], tokenizerClass: string): { readonly [file: string]: object } {
  return {
    "tokenizer_config.json": { tokenizer_class: tokenizerClass, unk_token: "[UNK]", pad_token: "[UNK]", model_max_length: 8 },
    "tokenizer.json": {
      version: "1.0",
      added_tokens: [],
      normalizer: { type: "Lowercase" },
      pre_tokenizer: { type: "Whitespace" },
      post_processor: null,
      decoder: null,
      model: { type: "WordLevel", vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])), unk_token: "[UNK]" },
    },
  };
}

interface Files {
  readonly json: { readonly [file: string]: object };
  readonly onnx: { readonly [file: string]: Uint8Array };
}

async function write(folder: string, { json, onnx }: Files): Promise<string> {
  await mkdir(join(folder, "onnx"), { recursive: true });
  for (const [name, value] of Object.entries(json)) await writeFile(join(folder, name), JSON.stringify(value));
  for (const [name, bytes] of Object.entries(onnx)) await writeFile(join(folder, "onnx", name), bytes);
  return folder;
}

/**
 * The vector of a picture is its mean colour, each channel from -1 to 1; "red", "green" and "blue" are those of such pictures, any other
 * word is none. CLIP and SigLIP differ in the names of outputs and in the padding.
 */
export function writeTinyClip(folder: string, type: "clip" | "siglip" = "clip"): Promise<string> {
  const [textOutput, imageOutput] = type === "clip" ? ["text_embeds", "image_embeds"] : ["pooler_output", "pooler_output"];
  const image = onnxModel({
    inputs: { pixel_values: { type: "float32", dims: ["batch", 3, "height", "width"] } },
    outputs: { [imageOutput]: ["batch", 3] },
    tensors: [],
    nodes: [node("ReduceMean", ["pixel_values"], imageOutput, { axes: [2n, 3n], keepdims: 0n })],
  });
  const rows = [
    [0, 0, 0],
    [1, -1, -1],
    [-1, 1, -1],
    [-1, -1, 1],
  ];
  const preprocessor = {
    image_processor_type: type === "clip" ? "CLIPImageProcessor" : "SiglipImageProcessor",
    do_resize: true,
    size: type === "clip" ? { shortest_edge: 8 } : { height: 8, width: 8 },
    do_center_crop: type === "clip",
    crop_size: { height: 8, width: 8 },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
    resample: 3,
  };
  return write(folder, {
    json: {
      "config.json": { model_type: type },
      "preprocessor_config.json": preprocessor,
      ...tokenizer(["[UNK]", "red", "green", "blue"], type === "clip" ? "CLIPTokenizer" : "SiglipTokenizer"),
    },
    onnx: { "text_model.onnx": textModel(rows, textOutput), "vision_model.onnx": image },
  });
}

const MELS = 8;

/** The vector of a sound is how much louder its low half of the mel scale is than its high half, and the reverse. */
export function writeTinyClap(folder: string): Promise<string> {
  const contrast = Array.from({ length: MELS }, (_, mel) => (mel < MELS / 2 ? [1, -1] : [-1, 1]));
  const audio = onnxModel({
    inputs: { input_features: { type: "float32", dims: ["batch", 1, "time", MELS] } },
    outputs: { audio_embeds: ["batch", 2] },
    tensors: [floats("contrast", [MELS, 2], contrast.flat())],
    nodes: [
      node("ReduceMean", ["input_features"], "levels", { axes: [1n, 2n], keepdims: 0n }),
      node("MatMul", ["levels", "contrast"], "audio_embeds"),
    ],
  });
  const preprocessor = {
    feature_extractor_type: "ClapFeatureExtractor",
    feature_size: MELS,
    fft_window_size: 256,
    hop_length: 128,
    frequency_min: 50,
    frequency_max: 4000,
    nb_frequency_bins: 129,
    nb_max_samples: 8000,
    sampling_rate: 8000,
    padding: "repeatpad",
    truncation: "rand_trunc",
  };
  const rows = [
    [0, 0],
    [1, -1],
    [-1, 1],
  ];
  return write(folder, {
    json: {
      "config.json": { model_type: "clap" },
      "preprocessor_config.json": preprocessor,
      ...tokenizer(["[UNK]", "low", "high"], "RobertaTokenizer"),
    },
    onnx: { "text_model.onnx": textModel(rows, "text_embeds"), "audio_model.onnx": audio },
  });
}

export type Colour = readonly [red: number, green: number, blue: number];
export const colours = { red: [255, 0, 0], green: [0, 255, 0], blue: [0, 0, 255] } as const satisfies { readonly [name: string]: Colour };

/** A PNG of one colour; `xmp` stands in it as text (PNG specification, ISO 15948). */
export function png(colour: Colour, { width = 12, height = 12, xmp = "" } = {}): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const row = Buffer.from([0, ...Array.from({ length: Math.min(width, 64) }, () => colour).flat()]);
  const text = xmp === "" ? [] : [chunk("iTXt", Buffer.concat([Buffer.from("XML:com.adobe.xmp\0\0\0\0\0"), Buffer.from(xmp)]))];
  const pixels = chunk("IDAT", deflateSync(Buffer.concat(Array.from({ length: Math.min(height, 64) }, () => row))));
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    ...text,
    pixels,
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

/** 8 by 8 red pixels. */
export const redPictures = {
  jpg: "/9j/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAj/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAABwn/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCdAAYqm//Z",
  webp: "UklGRhwAAABXRUJQVlA4TA8AAAAvB8ABAAcQ/Y/+ByKi/wEA",
} as const;

/** 16-bit WAV of a function of time in seconds. */
export function wav(sample: (time: number) => number, { seconds = 1, rate = 8000, channels = 1, facts = "" } = {}): Buffer {
  const data = Buffer.alloc(Math.round(seconds * rate) * channels * 2);
  for (let at = 0; at < data.length / 2; at++) data.writeInt16LE(Math.round(sample(Math.floor(at / channels) / rate) * 32767), at * 2);
  const format = Buffer.alloc(16);
  format.writeUInt16LE(1, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt32LE(rate * channels * 2, 8);
  format.writeUInt16LE(channels * 2, 12);
  format.writeUInt16LE(16, 14);
  const list = facts === "" ? [] : [riff("LIST", Buffer.concat([Buffer.from("INFO"), riff("INAM", Buffer.from(`${facts}\0`))]))];
  return riff("RIFF", Buffer.concat([Buffer.from("WAVE"), riff("fmt ", format), ...list, riff("data", data)]));
}

function riff(name: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(data.length);
  return Buffer.concat([Buffer.from(name), length, data, Buffer.alloc(data.length % 2)]);
}

export const tone =
  (hertz: number) =>
  (time: number): number =>
    0.5 * Math.sin(2 * Math.PI * hertz * time);
