import { expect, test } from "vitest";
import { transcript, turnsOf } from "./transcript.ts";

test("turns become a text and come back; a single turn is its text", () => {
  const turns = [
    { role: "user", content: "Which bikes\nare there?" },
    { role: "assistant", content: "Otters: and Skiffs." },
    { role: "user", content: "How heavy are they?" },
  ];
  expect(turnsOf(transcript(turns))).toEqual(turns);
  expect(transcript(turns.slice(0, 1))).toBe("Which bikes\nare there?");
});

test("a text that only looks like turns is one", () => {
  for (const text of ["User: alone", "See below.\nUser: a\nUser: b", "User: a\nAssistant: b"])
    expect(turnsOf(text)).toEqual([{ role: "user", content: text }]);
});
