import { expect, test } from "vitest";
import { jsonGrammar } from "./json-grammar.ts";

const rulesOf = (schema: { readonly [key: string]: unknown }, maxTokens = 100): string => {
  const grammar = jsonGrammar(schema, { maxTokens });
  return grammar.slice(0, grammar.indexOf("char ::="));
};

test("an object's properties stand in the schema's order, and those not required may be left out with their comma", () => {
  const schema = {
    type: "object",
    properties: { city: { type: "string" }, zip: { type: ["integer", "null"] }, kind: { enum: ["home", "work"] } },
    required: ["zip"],
  };
  expect(rulesOf(schema)).toMatchInlineSnapshot(`
    "root ::= ("{" object-4 "}")
    string-0-256 ::= "\\"" char{0,256} "\\""
    object-1 ::= comma "\\"kind\\"" colon ("\\"home\\"" | "\\"work\\"") | ""
    object-2 ::= comma "\\"zip\\"" colon (integer | "null") object-1
    object-3 ::= "\\"zip\\"" colon (integer | "null") object-1
    object-4 ::= "\\"city\\"" colon string-0-256 object-2 | object-3
    "
  `);
});

test("a nested schema, a reference and a list are rules within rules", () => {
  const schema = {
    $defs: { person: { type: "object", properties: { name: { type: "string", maxLength: 5 } }, required: ["name"] } },
    type: "array",
    items: { anyOf: [{ $ref: "#/$defs/person" }, { const: null }] },
    minItems: 1,
    maxItems: 3,
  };
  expect(rulesOf(schema)).toMatchInlineSnapshot(`
    "root ::= "[" (("{" object-1 "}") | "null") (comma (("{" object-1 "}") | "null")){0,2} "]"
    string-0-5 ::= "\\"" char{0,5} "\\""
    object-1 ::= "\\"name\\"" colon string-0-5
    "
  `);
});

test("strings are no longer than the answer may be", () => {
  expect(rulesOf({ type: "string" }, 10)).toContain("char{0,30}");
  expect(rulesOf({ type: "string" }, 1000)).toContain("char{0,256}");
  expect(rulesOf({ type: "string", maxLength: 12, minLength: 2 })).toContain("char{2,12}");
});

test("a quoted value is quoted twice", () => {
  expect(rulesOf({ const: 'say "hi"\n' })).toBe(String.raw`root ::= "\"say \\\"hi\\\"\\n\""` + "\n");
});

test.each([
  [{ type: "strin" }, 'Unknown type "strin" in the JSON schema.'],
  [{ $ref: "#/$defs/none" }, '"#/$defs/none" is not in the JSON schema.'],
  [{ $ref: "https://example.org/schema" }, '"https://example.org/schema" is not in the JSON schema.'],
  [
    { $defs: { a: { type: "array", items: { $ref: "#/$defs/a" } } }, $ref: "#/$defs/a" },
    '"#/$defs/a" in the JSON schema refers to itself.',
  ],
  [{ type: "object", properties: { a: 3 } }, "3 in the JSON schema is no schema."],
])("%j cannot be a grammar", (schema, message) => {
  expect(() => jsonGrammar(schema, { maxTokens: 10 })).toThrow(message);
});
