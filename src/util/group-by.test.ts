import { expect, test } from "vitest";
import { groupBy } from "./group-by.ts";

test("keys and items keep the order in which they come", () => {
  expect([...groupBy(["pear", "plum", "fig", "apple"], (word) => word.length)]).toEqual([
    [4, ["pear", "plum"]],
    [3, ["fig"]],
    [5, ["apple"]],
  ]);
});
