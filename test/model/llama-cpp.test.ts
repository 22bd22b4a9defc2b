// The demo model under llama.cpp: that answers make sense, and that nothing about them depends on what was asked before.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Decoding, LocalLanguageModel, ModelInput } from "../../src/model.ts";
import { openLlamaModel } from "../../src/model/llama-cpp.ts";
import { realModel } from "./real-model.ts";

const found = await realModel();
const free: Decoding = { constraint: { kind: "free" }, maxTokens: 16, temperature: 0, stop: [] };

function ask(question: string, system = "You are a helpful assistant."): ModelInput {
  return {
    kind: "chat",
    shared: 1,
    messages: [
      { role: "system", content: system },
      { role: "user", content: question },
    ],
  };
}

describe.skipIf("missing" in found)(`SmolLM2${"missing" in found ? ` (skipped: ${found.missing})` : ""}`, { timeout: 300_000 }, () => {
  let model: LocalLanguageModel;
  beforeAll(async () => {
    if ("missing" in found) return;
    // One thread: two that wait for each other are many times slower when another process keeps a core busy.
    model = await openLlamaModel({ path: found.path, hash: found.sha256, threads: 1 });
  }, 300_000);
  afterAll(async () => model?.[Symbol.asyncDispose]());

  test("it knows the capital of France, and ends its turn", async () => {
    const answer = await model.generate({ input: ask("What is the capital of France?"), decoding: free });
    expect(answer).toMatchObject({ text: expect.stringContaining("Paris"), finish: "stop" });
  });

  test("its template is ChatML, and its prompt tokens are those of the template's text", () => {
    const { tokens, promptLength } = model.tokenize(ask("Hello", "Be brief."), "Hi");
    const system = model.tokenizeText("system\nBe brief.");
    const user = model.tokenizeText("user\nHello");
    const [newLine] = model.tokenizeText("\n");
    const [start, end] = [1, 2];
    const expected = [start, ...system, end, newLine, start, ...user, end, newLine, start, ...model.tokenizeText("assistant"), newLine];
    expect(tokens.slice(0, promptLength)).toEqual(expected);
    expect(tokens.slice(promptLength)).toEqual([...model.tokenizeText("Hi"), end]);
  });

  test("a kept prefix changes no answer and no probability", async () => {
    const system = `Decide what the message is about. ${"Be careful and take your time. ".repeat(4)}`;
    const decoding: Decoding = { ...free, constraint: { kind: "labels", labels: ["delivery", "delivery damage", "invoice", "praise"] } };
    const questions = ["Where is my parcel?", "The parcel came broken.", "You charged me twice!"];
    const kept = [];
    for (const question of questions) kept.push(await model.generate({ input: ask(question, system), decoding }));
    const afresh = [];
    for (const question of questions) {
      await model.generate({ input: ask("Hello"), decoding: { ...free, maxTokens: 1 } });
      afresh.push(await model.generate({ input: ask(question, system), decoding }));
    }
    expect(afresh.map(({ text, labels }) => ({ text, labels }))).toEqual(kept.map(({ text, labels }) => ({ text, labels })));
  });

  test("what is read from a message stands under its schema", async () => {
    const schema = {
      type: "object",
      properties: { name: { type: "string" }, age: { type: ["integer", "null"] } },
      required: ["name", "age"],
    };
    const input = ask("Write the name and the age as JSON: Anna Smith, who is 43 years old, called.");
    const { text } = await model.generate({ input, decoding: { ...free, maxTokens: 60, constraint: { kind: "schema", schema } } });
    expect(JSON.parse(text)).toEqual({ name: "Anna Smith", age: 43 });
  });

  test("English is likelier than its words in no order", async () => {
    const mean = async (text: string): Promise<number> => {
      const scores = await model.score(model.tokenizeText(text));
      return scores.reduce((sum, score) => sum + score, 0) / scores.length;
    };
    expect(await mean("The cat sat on the mat and looked at the dog.")).toBeGreaterThan(
      (await mean("Mat dog the at cat the looked the and on sat.")) + 1,
    );
  });
});
