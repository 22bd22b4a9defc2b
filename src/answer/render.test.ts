import fc from "fast-check";
import { expect, test } from "vitest";
import type { GenerateCandidate, Prompt } from "../candidate.ts";
import { render } from "./render.ts";

const prompt: Prompt = {
  format: "chat",
  instruction: "Name the team.",
  demonstrations: { kind: "none" },
  listLabels: true,
  inputPrefix: "Message: ",
  outputPrefix: "Category:",
};
const candidate = (changes: Partial<Prompt> = {}): Pick<GenerateCandidate, "prompt" | "decoding"> => ({
  prompt: { ...prompt, ...changes },
  decoding: { constraint: { kind: "labels", labels: ["repair", "billing"] }, maxTokens: 8, temperature: 0, stop: [] },
});
const shown = [{ id: "a", input: "flat tyre", output: "repair" }];
const fixed = { demonstrations: { kind: "fixed", examples: shown } } as const;

test("a chat prompt is a system turn, demonstration turns and the input", () => {
  expect(render({ candidate: candidate(fixed), input: "charged twice", demonstrations: shown }).input).toEqual({
    kind: "chat",
    shared: 3,
    messages: [
      { role: "system", content: "Name the team.\nAnswer with one of: repair, billing." },
      { role: "user", content: "flat tyre" },
      { role: "assistant", content: "repair" },
      { role: "user", content: "charged twice" },
    ],
  });
});

test("nearest demonstrations differ by input, so only the instruction is shared", () => {
  const nearest = { demonstrations: { kind: "nearest", count: 1, similarity: "tf-idf", order: "nearest-last", pool: shown } } as const;
  expect(render({ candidate: candidate(nearest), input: "x", demonstrations: shown }).input.shared).toBe(1);
});

test("a plain completion ends before the answer, and the answer begins with a space", () => {
  const { input, completion, decoding } = render({
    candidate: candidate({ ...fixed, format: "completion" }),
    input: "charged twice",
    demonstrations: shown,
  });
  expect(input).toEqual({
    kind: "completion",
    shared: "Name the team.\nAnswer with one of: repair, billing.\n\nMessage: flat tyre\nCategory: repair\n\n".length,
    text: "Name the team.\nAnswer with one of: repair, billing.\n\nMessage: flat tyre\nCategory: repair\n\nMessage: charged twice\nCategory:",
  });
  expect(completion("repair")).toBe(" repair");
  expect(decoding.constraint).toEqual({ kind: "labels", labels: [" repair", " billing"] });
});

test("passages are numbered before the question", () => {
  const passages = [{ title: "Batteries", text: "They last 60 km." }];
  const { input } = render({
    candidate: candidate({ listLabels: false, inputPrefix: "Question: " }),
    input: "How far?",
    passages,
    demonstrations: [],
  });
  expect(input.kind === "chat" && input.messages.at(-1)?.content).toBe("[1] Batteries: They last 60 km.\n\nQuestion: How far?");
});

test("everything counted as shared is the same for every input", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.constantFrom("chat", "message", "completion" as const), (one, other, format) => {
      const [a, b] = [one, other].map(
        (input) => render({ candidate: candidate({ ...fixed, format }), input, demonstrations: shown }).input,
      );
      const sharedPart = (input: typeof a): unknown =>
        input!.kind === "chat" ? input!.messages.slice(0, input!.shared) : input!.text.slice(0, input!.shared);
      expect(sharedPart(a)).toEqual(sharedPart(b));
    }),
  );
});
