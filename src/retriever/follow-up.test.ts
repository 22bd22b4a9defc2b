import { expect, test } from "vitest";
import { mockModel } from "../model/mock.ts";
import { carriedOver } from "./follow-up.ts";
import { rewriteByModel } from "./rewrite-by-model.ts";

const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });

test("a follow-up that refers back, or is short, is searched with the questions before it", () => {
  const turns = [user("Which bikes carry children?"), assistant("Badgers."), user("How heavy are they?")];
  expect(carriedOver(turns)).toBe("Which bikes carry children? How heavy are they?");
  expect(carriedOver([...turns.slice(0, 2), user("And the price?")])).toBe("Which bikes carry children? And the price?");
});

test("a whole question is searched as it stands", () => {
  const last = "When does the depot in Harbour Street open on Sundays?";
  expect(carriedOver([user("Which bikes carry children?"), assistant("Badgers."), user(last)])).toBe(last);
  expect(carriedOver([user("It?")])).toBe("It?");
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
