// A JSON schema as a grammar for constrained decoding (GBNF). Pure text; knows no runtime.
import { UserError } from "../errors.ts";
import type { JsonSchema } from "../model.ts";

export interface JsonGrammarOptions {
  /** Tokens an answer may take: no string may be longer than would fit. */
  readonly maxTokens: number;
}

/** Small models ramble inside strings and lists: what the schema leaves open is cut at these. */
const longestString = 256;
const longestArray = 16;
/** How deep a value without a schema may nest. */
const anyDepth = 3;

/**
 * GBNF whose texts are JSON under the schema: compact, with at most one space after a comma or colon, properties in the schema's
 * order, those not required left out or written. Understands type (also a list of types), nullable, enum, const, properties,
 * required, items, prefixItems, minItems, maxItems, minLength, maxLength, format date, time and date-time, anyOf, oneOf, allOf of one, $ref
 * within the schema. Other keywords (pattern, minimum, ...) are left to whoever checks the answer.
 * Throws {@link UserError} for a schema that refers outside itself or to itself.
 */
export function jsonGrammar(schema: JsonSchema, { maxTokens }: JsonGrammarOptions): string {
  const grammar: Grammar = { rules: new Map(), schema, stringLimit: Math.max(1, Math.min(longestString, maxTokens * 3)) };
  const root = expression(grammar, schema, []);
  const rules = Array.from(grammar.rules, ([name, body]) => `${name} ::= ${body}`);
  return [`root ::= ${root}`, ...rules, ...basicRules].join("\n") + "\n";
}

interface Grammar {
  readonly rules: Map<string, string>;
  readonly schema: JsonSchema;
  readonly stringLimit: number;
}

/** References being resolved, outermost first. */
type Trail = readonly string[];

const basicRules = [
  `char ::= [^"\\\\\\x00-\\x1F\\x7F] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])`,
  `integer ::= "-"? ("0" | [1-9] [0-9]{0,14})`,
  `number ::= integer ("." [0-9]{1,12})? ([eE] [-+]? [0-9]{1,2})?`,
  `comma ::= "," " "?`,
  `colon ::= ":" " "?`,
  `date ::= [0-9]{4} "-" [0-1] [0-9] "-" [0-3] [0-9]`,
  `time ::= [0-2] [0-9] ":" [0-5] [0-9] (":" [0-5] [0-9])? ("Z" | [-+] [0-2] [0-9] ":" [0-5] [0-9])?`,
];

type TypeName = "string" | "number" | "integer" | "boolean" | "null" | "object" | "array";

const byType: { readonly [T in TypeName]: (grammar: Grammar, schema: JsonSchema, trail: Trail) => string } = {
  string: stringExpression,
  number: () => "number",
  integer: () => "integer",
  boolean: () => `("true" | "false")`,
  null: () => `"null"`,
  object: objectExpression,
  array: arrayExpression,
};

function expression(grammar: Grammar, schema: unknown, trail: Trail): string {
  if (schema === true || schema === undefined) return anyValue(grammar, anyDepth);
  if (!isObject(schema)) throw new UserError(`${JSON.stringify(schema)} in the JSON schema is no schema. Write an object, or true.`);
  const { $ref: reference, const: constant, enum: options, anyOf, oneOf, allOf, nullable } = schema;
  if (nullable === true) return or([expression(grammar, { ...schema, nullable: false }, trail), `"null"`]);
  if (typeof reference === "string") return referred(grammar, reference, trail);
  if (constant !== undefined) return literal(constant);
  if (Array.isArray(options)) return or(options.map(literal));
  const alternatives = anyOf ?? oneOf;
  if (Array.isArray(alternatives)) return or(alternatives.map((one) => expression(grammar, one, trail)));
  if (Array.isArray(allOf) && allOf.length === 1) return expression(grammar, allOf[0], trail);
  const types = typesOf(schema);
  if (types.length === 0) return anyValue(grammar, anyDepth);
  return or(types.map((type) => byType[type](grammar, schema, trail)));
}

function typesOf({ type, properties, items }: JsonSchema): TypeName[] {
  if (type === undefined) return properties !== undefined ? ["object"] : items !== undefined ? ["array"] : [];
  return (Array.isArray(type) ? type : [type]).map((one: unknown) => {
    if (typeof one === "string" && one in byType) return one as TypeName;
    throw new UserError(`Unknown type ${JSON.stringify(one)} in the JSON schema. Known: ${Object.keys(byType).join(", ")}.`);
  });
}

function stringExpression(grammar: Grammar, { minLength, maxLength, format }: JsonSchema): string {
  if (format === "date") return `"\\"" date "\\""`;
  if (format === "time") return `"\\"" time "\\""`;
  if (format === "date-time") return `"\\"" date "T" time "\\""`;
  const most = Math.min(wholeNumber(maxLength) ?? grammar.stringLimit, grammar.stringLimit);
  const least = Math.min(wholeNumber(minLength) ?? 0, most);
  return rule(grammar, `string-${least}-${most}`, () => `"\\"" char{${least},${most}} "\\""`);
}

/** A property that may be left out changes where commas stand, so each position is a rule of its own: written or not, after any or none. */
function objectExpression(grammar: Grammar, schema: JsonSchema, trail: Trail): string {
  const { properties, required, additionalProperties } = schema;
  if (!isObject(properties)) {
    if (additionalProperties === false) return `"{}"`;
    return freeObject(grammar, expression(grammar, additionalProperties, trail));
  }
  const names = Object.keys(properties);
  const needed = new Set(Array.isArray(required) ? required : []);
  const pairs = names.map((name) => `${literal(name)} colon ${expression(grammar, properties[name], trail)}`);
  const known = new Map<string, string>();
  const from = (at: number, some: boolean): string => {
    const pair = pairs[at];
    if (pair === undefined) return `""`;
    const position = `${at} ${some}`;
    const found = known.get(position);
    if (found !== undefined) return found;
    const written = `${some ? "comma " : ""}${pair} ${from(at + 1, true)}`.replace(/ ""$/, "");
    const body = needed.has(names[at]) ? written : `${written} | ${from(at + 1, some)}`;
    const name = rule(grammar, `object-${grammar.rules.size}`, () => body);
    known.set(position, name);
    return name;
  };
  return sequence(['"{"', from(0, false), '"}"']);
}

function freeObject(grammar: Grammar, value: string): string {
  const key = stringExpression(grammar, { minLength: 1, maxLength: 40 });
  return `"{" (${key} colon ${value} (comma ${key} colon ${value}){0,${longestArray - 1}})? "}"`;
}

function arrayExpression(grammar: Grammar, { items, prefixItems, minItems, maxItems }: JsonSchema, trail: Trail): string {
  if (Array.isArray(prefixItems)) {
    return sequence([`"["`, prefixItems.map((item) => expression(grammar, item, trail)).join(" comma "), `"]"`]);
  }
  const least = wholeNumber(minItems) ?? 0;
  const most = Math.max(least, wholeNumber(maxItems) ?? longestArray);
  if (most === 0) return `"[]"`;
  const item = expression(grammar, items, trail);
  const some = `${item} (comma ${item}){${Math.max(0, least - 1)},${most - 1}}`;
  return least > 0 ? `"[" ${some} "]"` : `"[" (${some})? "]"`;
}

function anyValue(grammar: Grammar, depth: number): string {
  return rule(grammar, `any-${depth}`, () => {
    const scalars = [stringExpression(grammar, {}), "number", `"true"`, `"false"`, `"null"`];
    if (depth === 0) return scalars.join(" | ");
    const inner = anyValue(grammar, depth - 1);
    const array = `"[" (${inner} (comma ${inner}){0,${longestArray - 1}})? "]"`;
    return [...scalars, array, freeObject(grammar, inner)].join(" | ");
  });
}

function referred(grammar: Grammar, reference: string, trail: Trail): string {
  if (trail.includes(reference)) {
    throw new UserError(`"${reference}" in the JSON schema refers to itself. Write out as many levels as an answer may have.`);
  }
  const path = reference.startsWith("#/") ? reference.slice(2).split("/") : [];
  let target: unknown = path.length === 0 ? undefined : grammar.schema;
  for (const part of path) target = isObject(target) ? target[part.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined;
  if (target === undefined) throw new UserError(`"${reference}" is not in the JSON schema. Refer to something within it: "#/$defs/name".`);
  return expression(grammar, target, [...trail, reference]);
}

/** Defines a rule once; its name stands for it. */
function rule(grammar: Grammar, name: string, body: () => string): string {
  if (!grammar.rules.has(name)) {
    grammar.rules.set(name, "");
    grammar.rules.set(name, body());
  }
  return name;
}

function or(alternatives: readonly string[]): string {
  return alternatives.length === 1 && alternatives[0] !== undefined ? alternatives[0] : `(${alternatives.join(" | ")})`;
}

function sequence(parts: readonly string[]): string {
  return `(${parts.filter((part) => part !== "" && part !== `""`).join(" ")})`;
}

/** The value's JSON text as a GBNF string. */
function literal(value: unknown): string {
  return JSON.stringify(JSON.stringify(value)).replaceAll("\u007f", "\\x7F");
}

function wholeNumber(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : undefined;
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
