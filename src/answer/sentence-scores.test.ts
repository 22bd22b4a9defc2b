import { expect, test } from "vitest";
import type { Passage } from "../evaluation.ts";
import { countWords } from "../retriever/chunk-source.ts";
import { compress } from "./compress.ts";
import { quote } from "./quote.ts";

const passage = (text: string, title = "Handbook"): Passage => ({ document: "a.md", title, start: 0, end: text.length, text, score: 1 });
const passages = [
  passage("# Deposits\n\nHow high is the deposit?\n\nThe deposit is two monthly payments. It is paid by card. We send a letter about it."),
  passage("| Bike | Price |\n| Skiff | 40 a month |\n| Drover | 60 a month |\n\n- Bells cost 4 each.", "Prices"),
];

test("the sentences that hold most of the question are quoted, never its headings and questions", async () => {
  expect(await quote({ question: "How high is the deposit?", passages, most: 1 })).toEqual(["The deposit is two monthly payments."]);
  expect(await quote({ question: "What does a Drover cost a month?", passages, most: 1 })).toEqual(["Drover, 60 a month"]);
  expect(await quote({ question: "Do bells cost much?", passages, most: 1 })).toEqual(["Bells cost 4 each."]);
  expect(await quote({ question: "Anything?", passages: [], most: 2 })).toEqual([]);
});

test("embeddings find the sentence that is said in other words", async () => {
  const embed = async (text: string): Promise<Float32Array> => Float32Array.from(/card|pay with/iu.test(text) ? [1, 0] : [0, 1]);
  expect(await quote({ question: "What can I pay with?", passages, most: 1, embed })).toEqual(["It is paid by card."]);
});

test("compressing keeps the best sentences that fit, in their order, with what was left out marked", async () => {
  const one = await compress({ question: "Is the deposit sent by letter?", passages, tokens: 12, count: countWords });
  expect(one).toEqual({ passages: [passages[0]], texts: ["The deposit is two monthly payments. ... We send a letter about it."] });
  const all = await compress({ question: "deposit Skiff", passages, tokens: 99, count: countWords });
  expect(all.passages).toEqual(passages);
  expect(await compress({ question: "deposit", passages, tokens: 2, count: countWords })).toEqual({ passages: [], texts: [] });
});
