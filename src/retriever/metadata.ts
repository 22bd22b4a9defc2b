// What is known of a document beside its text, and filters on it. Knows nothing of passages.
import { posix } from "node:path";
import { parse as parseYaml } from "yaml";
import { UserError } from "../errors.ts";
import type { Document } from "../task.ts";

export type MetadataValue = string | number | boolean;

/** Fields of a document by name; a list stands for each of its values. */
export interface Metadata {
  readonly [field: string]: MetadataValue | readonly MetadataValue[];
}

const operators = ["!=", "<=", ">=", "=", "<", ">"] as const;
type Operator = (typeof operators)[number];

/** A condition on one field. Numbers are compared as numbers, all else as text: ISO dates come in their order. */
export interface Condition {
  readonly field: string;
  readonly operator: Operator;
  readonly value: MetadataValue;
}

interface FieldsOf {
  readonly id: string;
  readonly title: string;
  readonly modified?: string;
  readonly metadata: Metadata;
}

/**
 * Every field of a document: `document` (its id), `folder`, `type` (the end of its name), `title` and `modified`, then its own.
 */
export function fieldsOf({ id, title, modified, metadata }: FieldsOf): Metadata {
  const folder = posix.dirname(id);
  return {
    document: id,
    folder: folder === "." ? "" : folder,
    type: posix.extname(id).slice(1).toLowerCase(),
    title,
    ...(modified !== undefined && { modified }),
    ...metadata,
  };
}

/**
 * `author=Smith`, `year>=2020`, `draft!=true`; the operators are = != < <= > >=.
 * @throws {UserError} when there is no operator or no field.
 */
export function parseCondition(text: string): Condition {
  const [, field = "", operator, value = ""] = /^\s*([^=<>!]+?)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*$/su.exec(text) ?? [];
  if (operator === undefined) throw new UserError(`"${text}" is no condition. Write it like author=Smith, year>=2020 or draft!=true.`);
  return { field, operator: operator as Operator, value };
}

/** Whether a document meets every condition. One without the field meets only `!=`. */
export function matches(metadata: Metadata, conditions: readonly Condition[]): boolean {
  return conditions.every(({ field, operator, value }) => {
    const given = Object.hasOwn(metadata, field) ? metadata[field]! : [];
    const values: readonly MetadataValue[] = Array.isArray(given) ? given : [given as MetadataValue];
    return operator === "!="
      ? values.every((one) => compare(one, value) !== 0)
      : values.some((one) => holds[operator](compare(one, value)));
  });
}

const holds: { readonly [O in Exclude<Operator, "!=">]: (order: number) => boolean } = {
  "=": (order) => order === 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

function compare(a: MetadataValue, b: MetadataValue): number {
  const [x, y] = [asNumber(a), asNumber(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : Number(left > right);
}

const asNumber = (value: MetadataValue): number => (typeof value === "string" && value.trim() === "" ? Number.NaN : Number(value));

/** The fields of a Markdown front matter that hold text, numbers, dates or lists of these; nested ones are left out. */
export function metadataOf({ text }: Pick<Document, "text">): Metadata {
  const [, block] = /^---\n([\s\S]*?\n)(?:---|\.\.\.)[ \t]*(?:\n|$)/.exec(text) ?? [];
  if (block === undefined) return {};
  try {
    const fields: unknown = parseYaml(block);
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return {};
    return Object.fromEntries(
      Object.entries(fields).flatMap(([field, value]) => {
        const plain = Array.isArray(value) ? value.flatMap(scalar) : scalar(value)[0];
        return plain === undefined ? [] : [[field, plain] as const];
      }),
    );
  } catch {
    // What looks like front matter and is none is text.
    return {};
  }
}

function scalar(value: unknown): MetadataValue[] {
  if (value instanceof Date) return [value.toISOString()];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? [value] : [];
}
