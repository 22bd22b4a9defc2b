import { expect, test } from "vitest";
import { testLanguageModel } from "../../test/conformance/model.ts";
import { mockModel } from "./mock.ts";

testLanguageModel(
  "the mock",
  async () => ({
    model: mockModel({
      answer: (text, { decoding }) =>
        decoding.constraint.kind === "schema"
          ? JSON.stringify({ name: "Ann", age: null, kind: "person" })
          : `It is, maybe, ${text.length} metres away.`,
    }),
  }),
  { longEnough: 5 },
);

test("the answer is given the whole input and the request", async () => {
  const seen: unknown[] = [];
  const model = mockModel({
    answer: (text, { seed }) => {
      seen.push([text, seed]);
      return "fine";
    },
  });
  const input = {
    kind: "chat",
    shared: 0,
    messages: [
      { role: "system", content: "Be kind." },
      { role: "user", content: "Hello" },
    ],
  } as const;
  await model.generate({ input, decoding: { constraint: { kind: "free" }, maxTokens: 5, temperature: 0, stop: [] }, seed: 3 });
  expect(seen).toEqual([["system: Be kind.\nuser: Hello", 3]]);
});

test("an error that is answered is thrown", async () => {
  const model = mockModel({ answer: () => new Error("server down") });
  const input = { kind: "completion", text: "Hello", shared: 0 } as const;
  const decoding = { constraint: { kind: "free" }, maxTokens: 5, temperature: 0, stop: [] } as const;
  await expect(model.generate({ input, decoding })).rejects.toThrow("server down");
});

test("an adapter changes the scores", async () => {
  const model = mockModel({ answer: () => "" });
  const tokens = model.tokenizeText("one two three");
  expect(await model.score(tokens, { path: "a.gguf", sha256: "", scale: 1 })).not.toEqual(await model.score(tokens));
});
