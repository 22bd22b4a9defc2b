// What every language model must do. Each implementation runs this suite from its own test file.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Constraint,
  type GenerateRequest,
  isLocal,
  type LanguageModel,
  type LocalLanguageModel,
  type ModelInput,
} from "../../src/model.ts";

export interface OpenedModel {
  readonly model: LanguageModel;
  close?(): Promise<void>;
}

export interface ModelSuite {
  /** Tokens of an answer to `question`, at least: what is cut to show that the length is kept. */
  readonly longEnough: number;
  readonly question?: string;
}

const labels = ["yes", "no", "yes and no", "maybe"];
const schema = {
  type: "object",
  properties: { name: { type: "string", maxLength: 8 }, age: { type: ["integer", "null"] }, kind: { enum: ["person", "place"] } },
  required: ["name", "age", "kind"],
};

export function testLanguageModel(
  name: string,
  open: () => Promise<OpenedModel>,
  { longEnough, question = "Where is it?" }: ModelSuite,
): void {
  describe(`${name} as a language model`, () => {
    let opened: OpenedModel;
    let model: LanguageModel;
    beforeAll(async () => {
      opened = await open();
      model = opened.model;
    });
    afterAll(async () => {
      await model[Symbol.asyncDispose]();
      await opened.close?.();
    });
    const ask = (overrides: Partial<GenerateRequest> & { constraint?: Constraint; maxTokens?: number; stop?: string[] } = {}) => {
      const { constraint = { kind: "free" }, maxTokens = 24, stop = [], ...rest } = overrides;
      return model.generate({ input: chat(question), decoding: { constraint, maxTokens, temperature: 0, stop }, ...rest });
    };

    test("it answers messages and plain text, and says what it took", async () => {
      for (const input of [chat(question), { kind: "completion", text: `Q: ${question}\nA:`, shared: 0 } as const]) {
        const answer = await ask({ input });
        expect(answer.text).toBe(answer.text.trim());
        expect(answer.tokens.input).toBeGreaterThan(0);
        expect(answer.tokens.output).toBeGreaterThan(0);
        expect(answer.seconds).toBeGreaterThan(0);
        expect(["stop", "length"]).toContain(answer.finish);
      }
    });

    test("the same request gets the same answer", async () => {
      const [first, second] = [await ask(), await ask()];
      expect({ ...second, seconds: 0 }).toEqual({ ...first, seconds: 0 });
    });

    test("requests made at once are answered as if one by one", async () => {
      const inputs = ["one?", "two?", "three?"].map((text) => chat(text));
      const alone = [];
      for (const input of inputs) alone.push((await ask({ input })).text);
      const together = await Promise.all(inputs.map((input) => ask({ input })));
      expect(together.map(({ text }) => text)).toEqual(alone);
    });

    test("the pieces that are streamed add up to the text", async () => {
      const pieces: string[] = [];
      const { text } = await ask({ onText: (piece) => pieces.push(piece) });
      expect(pieces.join("")).toBe(text);
      const one: string[] = [];
      const label = await ask({ constraint: { kind: "labels", labels }, onText: (piece) => one.push(piece) });
      expect(one.join("")).toBe(label.text);
    });

    test("no answer is longer than it may be", async () => {
      const answer = await ask({ maxTokens: longEnough - 1 });
      expect(answer.finish).toBe("length");
      expect(answer.tokens.output).toBeLessThanOrEqual(longEnough - 1);
    });

    test("an answer ends before a stop string", async () => {
      const { text } = await ask();
      const stop = text
        .slice(Math.floor(text.length / 2))
        .trim()
        .slice(0, 2);
      expect(stop).not.toBe("");
      const stopped = await ask({ stop: [stop] });
      expect(stopped.text).toBe(text.slice(0, text.indexOf(stop)).trim());
      expect(stopped.finish).toBe("stop");
    });

    test("under closed labels the answer is one of them, the likeliest", async () => {
      const answer = await ask({ constraint: { kind: "labels", labels } });
      expect(labels).toContain(answer.text);
      if (answer.labels === undefined) return;
      expect(Object.keys(answer.labels).toSorted()).toEqual(labels.toSorted());
      const probabilities = Object.values(answer.labels).map(Math.exp);
      expect(probabilities.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
      expect(answer.labels[answer.text]).toBe(Math.max(...Object.values(answer.labels)));
    });

    test("the order in which labels are named does not matter", async () => {
      const answer = await ask({ constraint: { kind: "labels", labels } });
      const reversed = await ask({ constraint: { kind: "labels", labels: labels.toReversed() } });
      expect(reversed.text).toBe(answer.text);
      for (const label of labels) expect(reversed.labels?.[label] ?? 0).toBeCloseTo(answer.labels?.[label] ?? 0, 4);
    });

    test("one label alone is the answer", async () => {
      const answer = await ask({ constraint: { kind: "labels", labels: ["only this"] } });
      expect(answer.text).toBe("only this");
    });

    test("under a schema the answer is JSON of that form", async () => {
      const { text } = await ask({ constraint: { kind: "schema", schema }, maxTokens: 120 });
      expect(JSON.parse(text)).toEqual({
        name: expect.any(String),
        age: expect.toSatisfy((age: unknown) => age === null || Number.isInteger(age)),
        kind: expect.stringMatching(/^(person|place)$/),
      });
    });

    test("an aborted request is rejected, and the next one is answered as ever", async () => {
      const before = await ask();
      await expect(ask({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
      const controller = new AbortController();
      const running = ask({ signal: controller.signal, onText: () => controller.abort(new Error("stop now")) });
      await expect(running).rejects.toThrow("stop now");
      expect((await ask()).text).toBe(before.text);
    });

    test("an input that does not fit is a context overflow", async () => {
      const input = chat("word ".repeat(model.contextLength * 9));
      await expect(ask({ input })).rejects.toMatchObject({ name: "ContextOverflow" });
      await expect(ask({ maxTokens: model.contextLength * 9 })).rejects.toMatchObject({ name: "ContextOverflow" });
    });

    test("tokens are counted", () => {
      expect(model.countTokens("")).toBe(0);
      expect(model.countTokens("one two three four five six")).toBeGreaterThan(model.countTokens("one two"));
    });

    test("a local model's prompt tokens do not depend on the completion, and count as in an answer", async () => {
      const local = localOrUndefined(model);
      if (local === undefined) return;
      const short = local.tokenize(chat(question), "yes");
      const long = local.tokenize(chat(question), "no, certainly not");
      expect(long.tokens.slice(0, long.promptLength)).toEqual(short.tokens.slice(0, short.promptLength));
      expect(long.tokens.length).toBeGreaterThan(short.tokens.length);
      expect(long.tokens.at(-1)).toBe(short.tokens.at(-1));
      expect((await ask()).tokens.input).toBe(short.promptLength);
    });

    test("a local model scores every token but the first", async () => {
      const local = localOrUndefined(model);
      if (local === undefined) return;
      const tokens = local.tokenizeText("one two three four five six");
      const scores = await local.score(tokens);
      expect(scores).toHaveLength(tokens.length - 1);
      expect(scores.every((score) => score < 0 && Number.isFinite(score))).toBe(true);
      expect(await local.score(tokens.slice(0, 1))).toEqual([]);
      const last = await local.score(tokens, undefined, tokens.length - 2);
      expect(last).toEqual(scores.slice(-2).map((value) => expect.closeTo(value, 4)));
    });
  });
}

function chat(text: string): ModelInput {
  return {
    kind: "chat",
    shared: 1,
    messages: [
      { role: "system", content: "Answer in one short sentence." },
      { role: "user", content: text },
    ],
  };
}

function localOrUndefined(model: LanguageModel): LocalLanguageModel | undefined {
  return isLocal(model) ? model : undefined;
}
