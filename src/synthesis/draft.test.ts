import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sentences } from "../util/sentences.ts";
import { questionIn } from "./ask-model.ts";
import { draftsOf } from "./draft.ts";

const drafts = (text: string, document = text): readonly (readonly [string, string])[] =>
  sentences(text).flatMap((sentence) =>
    draftsOf(sentence, document)
      .filter(({ made }) => made === "rule")
      .map(({ question, answer }) => [question, answer] as const),
  );
const gaps = (text: string): readonly (readonly [string, string])[] =>
  sentences(text).flatMap((sentence) =>
    draftsOf(sentence, text)
      .filter(({ made }) => made === "gap")
      .map(({ question, answer }) => [question, answer] as const),
  );

describe("rules", () => {
  test.each([
    ["The spare key is kept behind the old clock.", "Where is the spare key kept?", "behind the old clock"],
    ["The pump is checked every spring by the crew.", "When is the pump checked?", "every spring by the crew"],
    ["The forms must be handed in before Friday.", "When must the forms be handed in?", "before Friday"],
    ["The lighthouse was built in 1866.", "When was the lighthouse built?", "in 1866"],
    ["Lost bags are collected by the harbour office.", "By whom or what are Lost bags collected?", "the harbour office"],
    ["Every employee has 28 days of leave a year.", "How many days of leave does every employee have?", "28"],
    ["The crossing takes about two hours in calm weather.", "How long does the crossing take?", "about two hours"],
    ["The office opens at nine on weekdays.", "When does the office open?", "at nine on weekdays"],
    ["Bike hire costs nine pounds a day.", "What does Bike hire cost?", "nine pounds a day"],
    ["A docket is a slip of paper with a number.", "What is a docket?", "a slip of paper with a number"],
  ])("%s", (text, question, answer) => expect(drafts(text)).toContainEqual([question, answer]));

  test("a word that is written small elsewhere is no name", () => {
    const text = "Trains leave at ten on Sundays. All trains stop at Hull.";
    expect(drafts(text)[0]).toEqual(["When do trains leave?", "at ten on Sundays"]);
    expect(drafts("Hull opens at nine on weekdays.")[0]).toEqual(["When does Hull open?", "at nine on weekdays"]);
  });

  test.each([
    "It is kept behind the old clock in the hall.",
    "This is the place where they meet on Sundays.",
    "# The office opens at nine on weekdays",
    "Is the office open at nine on weekdays?",
    "The office opens.",
    "In winter the office is closed on Mondays.",
  ])("nothing is asked of what means nothing alone: %s", (text) => expect(drafts(text)).toEqual([]));
});

test("a number and a name are left out of a sentence", () => {
  expect(gaps("The ferry Gull weighs 310 tonnes and was built by Ada Brand.")).toEqual([
    ["What stands in the gap: The ferry Gull weighs ____ and was built by Ada Brand.", "310 tonnes"],
    ["What stands in the gap: The ferry ____ weighs 310 tonnes and was built by Ada Brand.", "Gull"],
  ]);
});

test("every answer stands in its sentence, letter for letter but for spaces", () => {
  const word = fc.constantFrom(
    "The",
    "office",
    "opens",
    "at",
    "nine",
    "Hull",
    "is",
    "kept",
    "in",
    "1866",
    "costs",
    "a",
    "has",
    "12",
    "days",
    "(x",
    "**bold**",
    "[a",
    "\n",
    "by",
  );
  fc.assert(
    fc.property(fc.array(word, { minLength: 5, maxLength: 30 }), (parts) => {
      const text = `${parts.join(" ")}.`;
      for (const sentence of sentences(text)) {
        for (const { question, answer, start, end } of draftsOf(sentence, text)) {
          expect(text.slice(start, end).replaceAll(/\s+/g, " ")).toContain(answer);
          expect(question).not.toContain("\n");
        }
      }
    }),
  );
});

test.each([
  ["Question: When does the office open?", "When does the office open?"],
  ["1. When does the office open? It opens at nine.", "When does the office open?"],
  ['"When does the office open?"', "When does the office open?"],
  ["What does the passage say about it?", undefined],
  ["Does the office open at nine?", undefined],
  ["When?", undefined],
  ["The office opens early.", undefined],
])("what a model writes: %s", (text, question) => expect(questionIn(text, "at nine")).toBe(question));
