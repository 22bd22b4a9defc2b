import { expect, test } from "vitest";
import { closestLabel } from "./closest-label.ts";

const labels = ["card", "card_lost", "Not a complaint"];

test.each([
  ["card_lost", "card_lost"],
  ["Card lost.", "card_lost"],
  ["The label is card.", "card"],
  ["I would say: card lost, not card", "card_lost"],
  ["not a complain", "Not a complaint"],
])("%j means %j", (answer, label) => {
  expect(closestLabel(answer, labels)).toBe(label);
});
