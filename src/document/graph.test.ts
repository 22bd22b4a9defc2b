// Knowledge graphs as documents: what an entity's text says, and which entities are its neighbours.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Document, DocumentSource } from "../task.ts";
import { readDocuments } from "./read-all.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-graph-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function read(name: string, text: string, source: DocumentSource = name): Promise<readonly Omit<Document, "sha256" | "modified">[]> {
  await writeFile(join(folder, name), text);
  const { documents } = await readDocuments({ sources: [source], folder });
  return documents.map(({ sha256: _, modified: __, ...document }) => document);
}

const turtle = `
@prefix : <http://example.com/harbour#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:Ada a :Captain ; rdfs:label "Ada Brand"@en, "Ada Brandt"@de ; :sailsOn :ferry_1 ; :bornIn :Hull ; :age 41 .
:ferry_1 rdfs:label "Ferry \\"Gull\\"" ; :ownedBy [ :name "the town" ] .
:Bo :sailsOn :ferry_1 .
:sailsOn rdfs:label "sails on board of" .
`;

test("an entity is a document: its statements, what is said of it, and its neighbours on both sides", async () => {
  const documents = await read("harbour.ttl", turtle);
  expect(documents.map(({ id }) => id)).toEqual([
    "harbour.ttl/Ada_Brand",
    "harbour.ttl/Bo",
    'harbour.ttl/Ferry_"Gull"',
    "harbour.ttl/Hull",
    "harbour.ttl/sails_on_board_of",
    "harbour.ttl/unnamed_1",
  ]);
  expect(documents[0]).toEqual({
    id: "harbour.ttl/Ada_Brand",
    title: "Ada Brand",
    text: '# Ada Brand\n\n- type: Captain\n- label: Ada Brandt\n- sails on board of: Ferry "Gull"\n- born in: Hull\n- age: 41',
    neighbours: ['harbour.ttl/Ferry_"Gull"', "harbour.ttl/Hull"],
  });
  expect(documents[2]).toMatchObject({
    text: '# Ferry "Gull"\n\n- owned by: unnamed 1\n\n- Ada Brand, Bo: sails on board of Ferry "Gull"',
    neighbours: ["harbour.ttl/unnamed_1", "harbour.ttl/Ada_Brand", "harbour.ttl/Bo"],
  });
});

test("neighbours are documents that are there", async () => {
  const documents = await read("harbour.ttl", turtle);
  const ids = new Set(documents.map(({ id }) => id));
  expect(documents.flatMap(({ neighbours = [] }) => neighbours).filter((id) => !ids.has(id))).toEqual([]);
});

test("N-Triples and N-Quads are read too", async () => {
  const line =
    '<http://x.example/a> <http://x.example/isNear> <http://x.example/b%20c> .\n<http://x.example/a> <http://x.example/note> "caf\\u00e9" .\n';
  expect((await read("a.nt", line)).map(({ text }) => text)).toEqual(["# a\n\n- is near: b c\n- note: café", "# b c\n\n- a: is near b c"]);
  expect(await read("a.nq", line.replaceAll(" .\n", " <http://x.example/graph> .\n"))).toHaveLength(2);
});

test("CSV of triples: what is shared or says something itself is an entity, the rest are values", async () => {
  const rows = "subject,predicate,object\nAda,sails_on,Gull\nBo,sails_on,Gull\nAda,age,41\nBo,knows,Ada\n";
  expect(await read("crew.csv", rows, { graph: "crew.csv" })).toEqual([
    {
      id: "crew.csv/Ada",
      title: "Ada",
      text: "# Ada\n\n- sails on: Gull\n- age: 41\n\n- Bo: knows Ada",
      neighbours: ["crew.csv/Gull", "crew.csv/Bo"],
    },
    { id: "crew.csv/Bo", title: "Bo", text: "# Bo\n\n- sails on: Gull\n- knows: Ada", neighbours: ["crew.csv/Gull", "crew.csv/Ada"] },
    { id: "crew.csv/Gull", title: "Gull", text: "# Gull\n\n- Ada, Bo: sails on Gull", neighbours: ["crew.csv/Ada", "crew.csv/Bo"] },
  ]);
});

test("a CSV that is named as a graph is no table besides", async () => {
  await writeFile(join(folder, "a.md"), "text");
  await writeFile(join(folder, "crew.csv"), "Ada,knows,Bo\nBo,knows,Ada\n");
  const { documents } = await readDocuments({ sources: [".", { graph: "crew.csv" }], folder });
  expect(documents.map(({ id }) => id)).toEqual(["a.md", "crew.csv/Ada", "crew.csv/Bo"]);
});

test("an entity that all point to lists some and counts the rest", async () => {
  const rows = Array.from({ length: 250 }, (_, index) => `person ${index},lives in,Hull`).join("\n");
  const hull = (await read("hub.csv", rows, { graph: "hub.csv" })).find(({ title }) => title === "Hull")!;
  expect(hull.text).toMatch(/^# Hull\n\n- person 0, person 1, .*, person 199 and 50 more: lives in Hull$/);
  expect(hull.neighbours).toHaveLength(250);
});

test.each<[string, string, string, DocumentSource, RegExp]>([
  ["broken Turtle", "a.ttl", "a b", "a.ttl", /^a\.ttl holds what is no Turtle: .* on line 1\. Mend it\.$/],
  [
    "a row without an object",
    "a.csv",
    "subject,predicate,object\nx,y,z\nx,y\n",
    { graph: "a.csv" },
    /^a\.csv is no CSV of triples: row 3 has no subject, predicate and object\. Mend it\.$/,
  ],
  ["a folder", "a.csv", "a,b,c", { graph: "." }, /^documents: "\." is no file\. Name one file of a graph\.$/],
])("%s is one line", async (_name, name, text, source, message) => {
  await expect(read(name, text, source)).rejects.toThrow(message);
});
