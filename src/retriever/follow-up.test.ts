import { expect, test } from "vitest";
import { mockModel } from "../model/mock.ts";
import { followUp } from "./follow-up.ts";
import { rewriteByModel } from "./rewrite-by-model.ts";

const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });

test("a follow-up is searched for with the two questions before it, its own words counting three times", () => {
  const turns = [user("Open today?"), assistant("Yes."), user("Which bikes are there?"), assistant("Badgers."), user("For children?")];
  expect(followUp([...turns, assistant("All."), user("How heavy?")])).toEqual({
    query: "Which bikes are there? For children? How heavy?",
    rewritten: {
      text: "Which bikes are there? For children? How heavy? How heavy? How heavy?",
      embedded: ["How heavy?", "Which bikes are there? For children? How heavy?"],
    },
  });
  expect(followUp(turns.slice(0, 1)).query).toBe("Open today?");
});

test("a model condenses a conversation into its last question, and is not asked about a single one", async () => {
  const asked: string[] = [];
  const condense = rewriteByModel(
    "condense",
    mockModel({
      answer: (text) => {
        asked.push(text);
        return "1. How heavy are Badgers?\nmore";
      },
    }),
  );
  expect(await condense("How heavy are Badgers, all in all?")).toEqual([{ text: "How heavy are Badgers, all in all?" }]);
  expect(asked).toEqual([]);
  expect(await condense("User: Which bikes?\nAssistant: Badgers.\nUser: How heavy?")).toEqual([{ text: "How heavy are Badgers?" }]);
  expect(asked[0]).toContain("Assistant: Badgers.");
});
