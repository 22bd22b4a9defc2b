import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Unreadable } from "../document/limits.ts";
import type { EmbeddingModel } from "../model.ts";
import { colours, png, redPictures, tone, wav, writeTinyClap, writeTinyClip } from "../../test/support/tiny-multimodal.ts";
import { multimodalFamily, openMultimodal } from "./multimodal.ts";
import { partsOf } from "./multimodal-process.ts";

/** Milliseconds: from TypeScript, starting the process takes a second of a free machine. */
const STARTING = 120_000;

let folder = "";
const opened: EmbeddingModel[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-multimodal-"));
});
afterAll(async () => {
  for (const model of opened) await model[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function open(path: string): Promise<EmbeddingModel> {
  const family = await multimodalFamily(path);
  const model = await openMultimodal({ folder: path, family: family!, threads: 1 });
  opened.push(model);
  return model;
}

const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, index) => sum + value * b[index]!, 0);

describe.each(["clip", "siglip"] as const)("pictures by %s", (type) => {
  let model: EmbeddingModel;
  beforeAll(async () => {
    model = await open(await writeTinyClip(join(folder, type), type));
  }, STARTING);
  const picture = (bytes: Uint8Array): Promise<Float32Array> => model.media!.embed({ kind: "image", bytes });

  test("texts and pictures of one colour have one vector, whatever the format of the picture", async () => {
    expect(model).toMatchObject({ id: type, dimensions: 3, media: { kinds: ["image"] } });
    const names = Object.keys(colours) as (keyof typeof colours)[];
    const texts = await model.embed(names);
    for (const [at, name] of names.entries()) {
      const vector = await picture(png(colours[name], { width: 30, height: 12 }));
      for (const [other, text] of texts.entries()) expect(cosine(text, vector)).toBeCloseTo(other === at ? 1 : -1 / 3, 4);
    }
    for (const encoded of Object.values(redPictures))
      expect(cosine(texts[0]!, await picture(Buffer.from(encoded, "base64")))).toBeCloseTo(1, 3);
  });

  test("the vector of a text is that of its weights", async () => {
    const root = Math.sqrt(3);
    expect(await model.embed(["a RED wall", "red blue"])).toEqual([
      Float32Array.of(1 / root, -1 / root, -1 / root),
      Float32Array.of(0, -1, 0),
    ]);
    // The ninth word is one too many.
    expect(await model.embed(["red red red red red red red red blue"])).toEqual(await model.embed(["red"]));
  });
});

describe("a model of pictures", () => {
  const bytes = png(colours.red);
  test.each([
    ["cut short", bytes.subarray(0, bytes.length - 30)],
    ["no picture", Buffer.from("no picture at all")],
    ["empty", Buffer.alloc(0)],
    ["a bomb of 10,000 million pixels", png(colours.red, { width: 100_000, height: 100_000 })],
  ])("a picture that is %s is one line, and the next one is read", async (_, broken) => {
    const [model] = opened;
    const failed = await model!.media!.embed({ kind: "image", bytes: broken }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(Unreadable);
    expect(String(failed)).toMatch(/^Unreadable: is no picture that can be read \([^\n]+\)\. Save it again as PNG or JPEG\.$/);
    expect(await model!.media!.embed({ kind: "image", bytes })).toHaveLength(3);
  });

  test("has none for sounds", async () => {
    await expect(opened[0]!.media!.embed({ kind: "sound", bytes: wav(tone(200)) })).rejects.toThrow(
      /clip holds a model of pictures, which has no vector for a sound/,
    );
  });

  test(
    "lacking a file, or with a broken one, is one line",
    async () => {
      const half = await writeTinyClip(join(folder, "half"));
      await rm(join(half, "onnx", "vision_model.onnx"));
      await expect(open(half)).rejects.toThrow(/half holds no whole multi-modal model: there is no onnx\/vision_model\.onnx\./);
      const broken = await writeTinyClip(join(folder, "broken"));
      await writeFile(join(broken, "onnx", "vision_model.onnx"), "no model");
      await expect(open(broken)).rejects.toThrow(/broken holds no multi-modal model that runs: /);
    },
    STARTING,
  );

  test(
    "its key changes with its files",
    async () => {
      const other = await writeTinyClip(join(folder, "other"));
      await writeFile(join(other, "config.json"), JSON.stringify({ model_type: "clip", changed: true }));
      expect((await open(other)).key).not.toBe(opened[0]!.key);
    },
    STARTING,
  );
});

describe("sounds by clap", () => {
  let model: EmbeddingModel;
  beforeAll(async () => {
    model = await open(await writeTinyClap(join(folder, "clap")));
  }, STARTING);
  const sound = (bytes: Uint8Array): Promise<Float32Array> => model.media!.embed({ kind: "sound", bytes });

  test("low and high tones are near to those words, at any rate and length", async () => {
    const [low, high] = await model.embed(["low", "high"]);
    const options = [{}, { rate: 44_100, channels: 2 }, { seconds: 0.3 }, { seconds: 3.5, rate: 11_025 }];
    for (const option of options) {
      expect(cosine(low!, await sound(wav(tone(150), option)))).toBeCloseTo(1, 3);
      expect(cosine(high!, await sound(wav(tone(3000), option)))).toBeCloseTo(1, 3);
    }
  });

  test("a long sound has one vector, the same each time", async () => {
    const bytes = wav((time) => tone(time < 2.5 ? 150 : 3000)(time), { seconds: 3.5 });
    expect(await sound(bytes)).toEqual(await sound(bytes));
  });

  test("a broken sound is one line", async () => {
    await expect(sound(Buffer.from("no sound"))).rejects.toThrow("is no WAV file. Save it again as WAV without compression.");
  });
});

test("a very long sound is heard in parts spread over it", () => {
  expect(partsOf(25, 10)).toEqual([
    [0, 10],
    [10, 20],
    [20, 25],
  ]);
  const parts = partsOf(1000, 10);
  expect(parts).toHaveLength(30);
  expect(parts[0]).toEqual([0, 10]);
  expect(parts[29]![0]).toBeGreaterThan(900);
});

test("a folder of another model is none of these", async () => {
  expect(await multimodalFamily(folder)).toBeUndefined();
});
