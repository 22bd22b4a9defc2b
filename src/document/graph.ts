// Knowledge graphs as documents: an entity with its neighbours each. N-Triples, Turtle, N-Quads, TriG and CSV of triples.
import { Parser, type Quad, type Term } from "n3";
import { messageOf } from "../errors.ts";
import { groupBy } from "../util/group-by.ts";
import type { Part, RawFile } from "./converted.ts";
import { csvRows } from "./csv.ts";
import { decodeText } from "./encoding.ts";
import { Unreadable } from "./limits.ts";

/** Neighbours that an entity's text lists under one heading. */
const MOST_LISTED = 200;

export interface Triple {
  readonly subject: string;
  /** As people read it. */
  readonly predicate: string;
  readonly object: string;
  /** Whether the object is an entity, not a value. */
  readonly entity: boolean;
}

interface Graph {
  readonly triples: readonly Triple[];
  /** Names of entities as people read them. */
  readonly labels: ReadonlyMap<string, string>;
}

/** Throws Unreadable for triples that don't parse, with the line. */
export async function* readGraph({ name, bytes }: RawFile): AsyncIterable<Part> {
  const { text } = decodeText(bytes);
  const graph = /\.(csv|tsv)$/i.test(name) ? csvGraph(csvRows(text)) : rdfGraph(quadsOf(text, name));
  yield* documentsOf(graph);
}

/** Turtle is N-Triples and more; the parser is told where quads are meant. */
function quadsOf(text: string, name: string): Quad[] {
  const format = /\.nq$/i.test(name) ? "N-Quads" : /\.trig$/i.test(name) ? "TriG" : "Turtle";
  try {
    return new Parser({ format, baseIRI: "file:///" }).parse(text);
  } catch (cause) {
    throw new Unreadable(`holds what is no ${format}: ${messageOf(cause).replace(/\.$/, "")}. Mend it.`, { cause });
  }
}

const labelPredicates = [
  "http://www.w3.org/2000/01/rdf-schema#label",
  "http://www.w3.org/2004/02/skos/core#prefLabel",
  "http://schema.org/name",
  "https://schema.org/name",
  "http://xmlns.com/foaf/0.1/name",
  "http://purl.org/dc/terms/title",
  "http://purl.org/dc/elements/1.1/title",
];
const TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

function rdfGraph(quads: readonly Quad[]): Graph {
  const keyOf = keys();
  const labels = labelsOf(quads, keyOf);
  const nameOf = (term: Term): string => labels.get(keyOf(term)) ?? localName(term.value);
  const subjects = new Set(quads.map(({ subject }) => keyOf(subject)));
  const triples = quads.map(({ subject, predicate, object }): Triple => {
    const isEntity = object.termType !== "Literal" && (predicate.value !== TYPE || subjects.has(keyOf(object)));
    const shown = object.termType === "Literal" ? object.value : isEntity ? keyOf(object) : nameOf(object);
    return {
      subject: keyOf(subject),
      predicate: predicate.value === TYPE ? "type" : (labels.get(predicate.value) ?? relationName(predicate.value)),
      object: shown,
      entity: isEntity,
    };
  });
  const entities = new Set(triples.flatMap(({ subject, object, entity }) => (entity ? [subject, object] : [subject])));
  return { triples, labels: new Map([...entities].map((key) => [key, labels.get(key) ?? localName(key)])) };
}

/** An English label, or one of no language, before others; the first kind of label before the later. */
function labelsOf(quads: readonly Quad[], keyOf: (term: Term) => string): Map<string, string> {
  const best = new Map<string, { readonly label: string; readonly rank: number }>();
  for (const { subject, predicate, object } of quads) {
    const kind = labelPredicates.indexOf(predicate.value);
    if (kind < 0 || object.termType !== "Literal") continue;
    const foreign = object.language !== undefined && object.language !== "" && !object.language.startsWith("en");
    const rank = kind + (foreign ? labelPredicates.length : 0);
    const known = best.get(keyOf(subject));
    if (known === undefined || rank < known.rank) best.set(keyOf(subject), { label: object.value, rank });
  }
  return new Map([...best].map(([key, { label }]) => [key, label]));
}

/** Addresses; nodes without one are counted, since the parser names them anew each time. */
function keys(): (term: Term) => string {
  const blanks = new Map<string, string>();
  return ({ termType, value }) => {
    if (termType !== "BlankNode") return value;
    const key = blanks.get(value) ?? `unnamed ${blanks.size + 1}`;
    blanks.set(value, key);
    return key;
  };
}

/** `http://example.com/people#Ada_Brand` -> `Ada Brand` */
function localName(address: string): string {
  const local = /[^/#:]+(?=[/#]?$)/.exec(address)?.[0] ?? address;
  return decoded(local)
    .replaceAll(/[_+]+/g, " ")
    .replaceAll(/(?<=\p{Ll})(?=\p{Lu})/gu, " ")
    .trim();
}

/** `isNear` -> `is near` */
function relationName(address: string): string {
  return localName(address).replaceAll(/(?<= )\p{Lu}(?=\p{Ll})/gu, (letter) => letter.toLowerCase());
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const headers = [
  /^(subject|head|source|s|from)$/i,
  /^(predicate|relation|property|p|edge|label)$/i,
  /^(object|tail|target|o|to)$/i,
] as const;

/** Without a kind, an object is an entity where it is a subject too, or where two subjects share it. */
function csvGraph(rows: readonly (readonly string[])[]): Graph {
  const [first] = rows;
  const given = first !== undefined && headers.every((header, at) => header.test(first[at]?.trim() ?? "")) ? rows.slice(1) : rows;
  const short = given.findIndex((row) => row.length < 3 || row.slice(0, 3).some((value) => value.trim() === ""));
  if (short >= 0)
    throw new Unreadable(
      `is no CSV of triples: row ${short + 1 + rows.length - given.length} has no subject, predicate and object. Mend it.`,
    );
  const trimmed = given.map((row) => row.map((value) => value.trim()) as [string, string, string]);
  const subjects = new Set(trimmed.map(([subject]) => subject));
  const sharers = new Map<string, Set<string>>();
  for (const [subject, , object] of trimmed) sharers.set(object, (sharers.get(object) ?? new Set()).add(subject));
  const triples = trimmed.map(([subject, predicate, object]): Triple => {
    return { subject, predicate: relationName(predicate), object, entity: subjects.has(object) || sharers.get(object)!.size > 1 };
  });
  const entities = new Set(triples.flatMap(({ subject, object, entity }) => (entity ? [subject, object] : [subject])));
  return { triples, labels: new Map([...entities].map((name) => [name, localName(name)])) };
}

/** In the order in which entities are named first. */
function* documentsOf({ triples, labels }: Graph): Iterable<Part> {
  const out = groupBy(triples, ({ subject }) => subject);
  const back = groupBy(
    triples.filter(({ entity }) => entity),
    ({ object }) => object,
  );
  const inners = innersOf(labels);
  for (const [key, label] of labels) {
    const [from, to] = [out.get(key) ?? [], back.get(key) ?? []];
    const neighbours = [...from.filter(({ entity }) => entity).map(({ object }) => object), ...to.map(({ subject }) => subject)];
    yield {
      kind: "document",
      inner: inners.get(key)!,
      title: label,
      text: entityText({ label, from, to, labels }),
      neighbours: [...new Set(neighbours)].filter((other) => other !== key).map((other) => inners.get(other)!),
    };
  }
}

/** A name for each entity that is its own: labels may be shared. */
function innersOf(labels: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const taken = new Set<string>();
  return new Map(
    [...labels].map(([key, label]) => {
      const base = label.replaceAll(/[/\s]+/g, "_") || "_";
      let free = base;
      for (let number = 2; taken.has(free); number++) free = `${base}_${number}`;
      taken.add(free);
      return [key, free];
    }),
  );
}

interface Entity {
  readonly label: string;
  readonly from: readonly Triple[];
  readonly to: readonly Triple[];
  readonly labels: ReadonlyMap<string, string>;
}

/** What it says of others, a line for each predicate; then what others say of it. */
function entityText({ label, from, to, labels }: Entity): string {
  // The label is the heading.
  const told = from.filter(({ entity, object }) => entity || object !== label);
  const lines = grouped(
    told,
    ({ predicate }) => predicate,
    ({ object, entity }) => (entity ? labels.get(object)! : object),
  );
  const named = grouped(
    to,
    ({ predicate }) => predicate,
    ({ subject }) => labels.get(subject)!,
  );
  return [
    `# ${label}`,
    lines.map(([predicate, objects]) => `- ${predicate}: ${objects}`).join("\n"),
    named.map(([predicate, subjects]) => `- ${subjects}: ${predicate} ${label}`).join("\n"),
  ]
    .filter((block) => block !== "")
    .join("\n\n");
}

function grouped(
  triples: readonly Triple[],
  by: (triple: Triple) => string,
  show: (triple: Triple) => string,
): (readonly [string, string])[] {
  return [...groupBy(triples, by)].map(([name, group]) => {
    const shown = group.slice(0, MOST_LISTED).map((triple) => show(triple).replaceAll(/\s+/g, " "));
    return [name, `${shown.join(", ")}${group.length > MOST_LISTED ? ` and ${group.length - MOST_LISTED} more` : ""}`] as const;
  });
}
