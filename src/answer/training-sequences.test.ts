import { expect, test } from "vitest";
import type { TrainingRow } from "../data/training-rows.ts";
import type { ModelInput } from "../model.ts";
import { trainingSequences } from "./training-sequences.ts";

/** A token a character; 0 ends an answer, turns are written as "role: content|". */
const codes = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0)!);
const written = (input: ModelInput): string =>
  input.kind === "completion" ? input.text : input.messages.map(({ role, content }) => `${role[0]}: ${content}|`).join("");
const model = {
  tokenizeText: codes,
  tokenize: (input: ModelInput, completion: string) => {
    const prompt = codes(written(input));
    const joint = input.kind === "completion" && /\S$/u.test(input.text) ? " " : "";
    return { tokens: [...prompt, ...codes(joint + completion), 0], promptLength: prompt.length };
  },
};

/** What is read, then what is learnt, of each sequence. */
function texts(rows: readonly TrainingRow[], { chat = true, longest = 100 } = {}) {
  const { sequences, tooLong } = trainingSequences(rows, { model, chat, longest });
  const spelled = (tokens: readonly number[]): string => tokens.map((code) => (code === 0 ? "$" : String.fromCodePoint(code))).join("");
  return { tooLong, sequences: sequences.map(({ tokens, promptLength: at }) => [spelled(tokens.slice(0, at)), spelled(tokens.slice(at))]) };
}

test("a prompt is a user's turn where the model chats, and else text that the completion goes on with, one space between", () => {
  const pair = { kind: "pair", prompt: "Red?", completion: "yes" } as const;
  expect(texts([pair]).sequences).toEqual([["u: Red?|", "yes$"]]);
  const spaced = { ...pair, completion: " yes" };
  expect(texts([pair, spaced], { chat: false }).sequences).toEqual([
    ["Red?", " yes$"],
    ["Red?", " yes$"],
  ]);
  expect(texts([{ ...spaced, prompt: "Red?\n" }], { chat: false }).sequences).toEqual([["Red?\n", " yes$"]]);
});

test("of a conversation each of the assistant's turns is learnt once, with all turns before it", () => {
  const messages = [
    { role: "user", content: "a" },
    { role: "assistant", content: "b" },
    { role: "user", content: "c" },
    { role: "assistant", content: "d" },
  ] as const;
  expect(texts([{ kind: "conversation", messages, from: 0 }]).sequences).toEqual([
    ["u: a|", "b$"],
    ["u: a|a: b|u: c|", "d$"],
  ]);
  expect(texts([{ kind: "conversation", messages, from: 2 }]).sequences).toEqual([["u: a|a: b|u: c|", "d$"]]);
});

test("a text is cut into windows that are learnt whole and end in its end; an answer that is too long is left out and counted", () => {
  const text = { kind: "text", text: "abcdefgh" } as const;
  const pair = { kind: "pair", prompt: "long", completion: "enough" } as const;
  expect(texts([text, pair], { longest: 4 })).toEqual({
    tooLong: 1,
    sequences: [
      ["", "abcd"],
      ["", "defg"],
      ["", "gh$"],
    ],
  });
});
