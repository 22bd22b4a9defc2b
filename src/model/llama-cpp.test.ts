// llama.cpp over a tiny random model: everything but sense. The real model is in test/model.
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { testLanguageModel } from "../../test/conformance/model.ts";
import { writeTinyLlama } from "../../test/support/tiny-model.ts";
import type { AdapterFile, Decoding, JsonSchema, LocalLanguageModel, ModelInput } from "../model.ts";
import { seededRandom } from "../util/random.ts";
import { writeGguf } from "../weights/gguf-write.ts";
import { openLlamaModel } from "./llama-cpp.ts";

// One thread: a model this small is slower on two, and much slower when another test keeps one busy.
const threads = 1;
const width = 64;
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-llama-"));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

testLanguageModel(
  "llama.cpp",
  async () => {
    const path = join(folder, "conformance.gguf");
    await writeTinyLlama({ path, width });
    return { model: await openLlamaModel({ path, threads }) };
  },
  { longEnough: 10 },
);

const free: Decoding = { constraint: { kind: "free" }, maxTokens: 16, temperature: 0, stop: [] };
const closed: Decoding = { ...free, constraint: { kind: "labels", labels: ["yes", "no", "yes and no", "perhaps"] } };

function chat(system: string, user: string, shared: number): ModelInput {
  const messages = [
    { role: "system", content: system },
    { role: "user", content: user },
  ] as const;
  return { kind: "chat", messages, shared };
}

describe("a model of its own for each test", () => {
  let model: LocalLanguageModel;
  let path: string;
  beforeAll(async () => {
    path = join(folder, "model.gguf");
    await writeTinyLlama({ path, width, seed: 7 });
    model = await openLlamaModel({ path, threads });
  });
  afterAll(async () => model[Symbol.asyncDispose]());

  test("a kept prefix changes nothing: every answer is the same to the last bit", async () => {
    const systems = ["You keep the log of the lighthouse.", "You sell tickets. ".repeat(6)];
    const users = ["What is the weather?", "Where is the keeper of the light?", "Yes or no?"];
    const inputs = systems.flatMap((system) => users.map((user) => chat(system, user, 1)));
    const kept = [];
    for (const input of inputs)
      for (const decoding of [free, closed]) kept.push({ ...(await model.generate({ input, decoding })), seconds: 0 });
    const afresh = [];
    for (const input of inputs) {
      for (const decoding of [free, closed]) {
        // Something with another prefix between any two.
        await model.generate({ input: { kind: "completion", text: "The weather is", shared: 0 }, decoding: free });
        afresh.push({ ...(await model.generate({ input, decoding })), seconds: 0 });
      }
    }
    expect(afresh).toEqual(kept);
  });

  test("an answer's tokens are the ones that training would see", async () => {
    const input = chat("Answer.", "Yes or no?", 1);
    const { tokens, promptLength } = model.tokenize(input, "yes");
    expect(tokens.slice(0, promptLength)).toEqual(model.tokenize(input, "no").tokens.slice(0, promptLength));
    const ended = model.tokenize(input, "").tokens;
    expect(ended).toHaveLength(promptLength + 1);
  });

  test("the probability of a label is the product of its tokens', each among those that could stand there", async () => {
    const input = chat("Answer.", "Yes or no?", 1);
    const { labels } = await model.generate({ input, decoding: closed });
    // Where labels part at their first token only, the shares are those of the whole vocabulary, renormalised.
    const two = await model.generate({ input, decoding: { ...closed, constraint: { kind: "labels", labels: ["no", "yes"] } } });
    const prompt = model.tokenize(input, "").tokens.slice(0, -1);
    const score = async (label: string): Promise<number> => {
      const first = model.tokenize(input, label).tokens[prompt.length] ?? 0;
      return (await model.score([...prompt, first])).at(-1) ?? 0;
    };
    const [no, yes] = [await score("no"), await score("yes")];
    const total = Math.log(Math.exp(no) + Math.exp(yes));
    expect(two.labels?.["no"]).toBeCloseTo(no - total, 3);
    expect(two.labels?.["yes"]).toBeCloseTo(yes - total, 3);
    expect(Object.keys(labels ?? {})).toHaveLength(4);
  });

  test("temperature draws by the seed", async () => {
    const input = chat("Answer.", "Say something.", 1);
    const draw = async (seed: number): Promise<string> =>
      (await model.generate({ input, decoding: { ...free, temperature: 1.5 }, seed })).text;
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test("confidence is the mean log-probability of what was written, by the whole vocabulary", async () => {
    const input = { kind: "completion", text: "The", shared: 0 } as const;
    const answer = await model.generate({ input, decoding: { ...free, maxTokens: 1 } });
    const prompt = model.tokenize(input, "").tokens.slice(0, -1);
    const scores = [];
    for (let token = 0; token < 384; token++) scores.push((await model.score([...prompt, token])).at(-1) ?? -Infinity);
    expect(scores.reduce((sum, score) => sum + Math.exp(score), 0)).toBeCloseTo(1, 4);
    expect(answer.confidence).toBeCloseTo(Math.max(...scores), 4);
  });

  test("a text longer than the context is scored in overlapping windows", async () => {
    const small = await openLlamaModel({ path, threads, contextLength: 32 });
    const tokens = model.tokenizeText("The keeper of the lighthouse writes the weather into the log. ".repeat(6)).slice(0, 90);
    const scores = await small.score(tokens);
    expect(scores).toHaveLength(tokens.length - 1);
    const whole = await model.score(tokens);
    for (const [at, score] of scores.slice(0, 31).entries()) expect(score).toBeCloseTo(whole[at] ?? 0, 2);
    await small[Symbol.asyncDispose]();
  });

  test("adapters are applied, by scale, and taken off again", async () => {
    const adapters = await Promise.all([1, 2, 3].map(async (seed) => tinyAdapter(join(folder, `adapter-${seed}.gguf`), seed)));
    const [first] = adapters as [AdapterFile];
    const tokens = model.tokenizeText("The keeper of the lighthouse writes.");
    const base = await model.score(tokens);
    expect(await model.score(tokens, { ...first, scale: 0 })).toEqual(base);
    const adapted = [];
    for (const adapter of adapters) adapted.push(await model.score(tokens, adapter));
    for (const scores of adapted) expect(scores).not.toEqual(base);
    expect(adapted[0]).not.toEqual(adapted[1]);
    expect(await model.score(tokens, first)).toEqual(adapted[0]);
    expect(await model.score(tokens)).toEqual(base);
    const input = chat("Answer.", "Yes or no?", 1);
    const answer = await model.generate({ input, decoding: closed, adapter: first });
    expect(answer.labels).not.toEqual((await model.generate({ input, decoding: closed })).labels);
  });

  test("an adapter that is cut is one clear line", async () => {
    const adapter = await tinyAdapter(join(folder, "cut.gguf"), 99);
    await truncate(adapter.path, 300);
    await expect(model.score([1, 2, 3], adapter)).rejects.toThrow(
      /cut\.gguf is no usable GGUF file: .* 300\b.*\. Fetch or export it again\.$/,
    );
  });

  test("an adapter written over another is not taken for it, and many adapters are no trouble", async () => {
    const tokens = model.tokenizeText("The keeper of the lighthouse writes.");
    const same = join(folder, "same.gguf");
    const [first, second] = [
      await model.score(tokens, await tinyAdapter(same, 11)),
      await model.score(tokens, await tinyAdapter(same, 12)),
    ];
    expect(second).not.toEqual(first);
    for (let seed = 20; seed < 40; seed++) await model.score(tokens, await tinyAdapter(join(folder, `many-${seed}.gguf`), seed));
    expect(await model.score(tokens, await tinyAdapter(same, 11))).toEqual(first);
  });

  test("under any schema a random model writes JSON of that form, cold or hot", async () => {
    const schemas = fc.letrec<{ schema: JsonSchema }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 2, withCrossShrink: true },
        fc.constantFrom<JsonSchema>(
          { type: "string", maxLength: 5 },
          { type: ["integer", "null"] },
          { enum: ["a", 'b "quoted"', 3, null] },
          { type: "boolean" },
        ),
        fc.record({ items: tie("schema"), maxItems: fc.integer({ min: 1, max: 2 }) }).map((array) => ({ type: "array", ...array })),
        fc
          .tuple(
            fc.dictionary(fc.constantFrom("a", "b", "é c"), tie("schema"), { noNullPrototype: true }),
            fc.constantFrom(["a", "b"], ["b"], []),
          )
          .map(([properties, required]) => ({ type: "object", properties, required: required.filter((name) => name in properties) })),
      ),
    })).schema;
    await fc.assert(
      fc.asyncProperty(schemas, fc.constantFrom(0, 1.5), fc.nat(9), async (schema, temperature, seed) => {
        const decoding: Decoding = { ...free, constraint: { kind: "schema", schema }, maxTokens: 350, temperature };
        const { text, finish } = await model.generate({ input: chat("Answer.", "Write JSON.", 1), decoding, seed });
        expect(finish).toBe("stop");
        expect(fits(JSON.parse(text), schema)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test("the key tells the file, the threads and the context apart", async () => {
    const other = await openLlamaModel({ path, threads, contextLength: 64 });
    expect(other.key).not.toBe(model.key);
    const same = await openLlamaModel({ path, threads });
    expect(same.key).toBe(model.key);
    await Promise.all([other[Symbol.asyncDispose](), same[Symbol.asyncDispose]()]);
  });
});

test("a file that is not there, or no model, is told in one line", async () => {
  await expect(openLlamaModel({ path: join(folder, "none.gguf"), threads })).rejects.toThrow(/^No model file at .*none\.gguf\./);
  const broken = join(folder, "broken.gguf");
  await writeFile(broken, "this is no model");
  await expect(openLlamaModel({ path: broken, threads })).rejects.toMatchObject({ name: "UserError" });
});

/** Whether a value is of the schema's form, for the keywords used above. */
function fits(value: unknown, schema: JsonSchema): boolean {
  const {
    type,
    enum: options,
    maxLength,
    items,
    maxItems,
    properties = {},
    required = [],
  } = schema as {
    type?: string | string[];
    enum?: unknown[];
    maxLength?: number;
    items?: JsonSchema;
    maxItems?: number;
    properties?: { [name: string]: JsonSchema };
    required?: string[];
  };
  if (options !== undefined) return options.includes(value);
  if (Array.isArray(type)) return type.some((one) => fits(value, { ...schema, type: one }));
  if (type === "null") return value === null;
  if (type === "integer") return Number.isInteger(value);
  if (type === "boolean") return typeof value === "boolean";
  // Random bytes need not be whole characters: the grammar counts a broken one once, reading it may give several.
  if (type === "string")
    return typeof value === "string" && Array.from(value.replaceAll(/\uFFFD+/g, "?")).length <= (maxLength ?? Infinity);
  if (type === "array")
    return Array.isArray(value) && value.length <= (maxItems ?? Infinity) && value.every((one) => fits(one, items ?? {}));
  if (typeof value !== "object" || value === null) return false;
  const known = Object.entries(value).every(([name, one]) => properties[name] !== undefined && fits(one, properties[name]));
  return known && required.every((name) => name in value);
}

/** A random rank-2 adapter on the first layer's queries. */
async function tinyAdapter(path: string, seed: number): Promise<AdapterFile> {
  const random = seededRandom(seed);
  const matrix = (rows: number, columns: number): Float32Array => Float32Array.from({ length: rows * columns }, () => random.normal());
  await writeGguf({
    path,
    metadata: { "general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora", "adapter.lora.alpha": 4 },
    tensors: [
      { name: "blk.0.attn_v.weight.lora_a", shape: [2, width], type: "F32", data: matrix(2, width) },
      { name: "blk.0.attn_v.weight.lora_b", shape: [width / 2, 2], type: "F32", data: matrix(width / 2, 2) },
    ],
  });
  return { path, sha256: `adapter-${seed}`, scale: 1 };
}
