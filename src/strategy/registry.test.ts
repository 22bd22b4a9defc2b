import { expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { parseChain } from "./registry.ts";

test("a chain is its strategies, first to last", () => {
  expect(parseChain("rag-bm25 > lora>prompt").map(({ name }) => name)).toEqual(["rag-bm25", "lora", "prompt"]);
});

test.each([
  ["zero-shoot", 'No strategy "zero-shoot". Did you mean "zero-shot"? Chains are written "rag-bm25 > lora".'],
  ["rag-bm25 > > lora", 'The chain "rag-bm25 > > lora" has an empty step. Write it like "rag-bm25 > lora".'],
  ["lora > cascade", '"cascade" in "lora > cascade" is made of whole candidates. List it by itself.'],
])("%s gets one line with the way out", (chain, message) => {
  expect(() => parseChain(chain)).toThrow(new UserError(message));
});
