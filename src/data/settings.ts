// The fields of sartor.yaml: their types, defaults, and what they must be, in words. Knows nothing of files.
import { z } from "zod";
import type { DocumentSource } from "../task.ts";
import { parseDuration, parseSize } from "./quantity.ts";

const text = z.string().trim().min(1);
const label = z.union([z.string(), z.number(), z.boolean()]).transform(String).pipe(text);
const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item.transform((one) => [one]), z.array(item).min(1)]);
const quantity = (parse: (value: string | number) => number | undefined) =>
  z.union([z.string(), z.number()]).transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: "custom", message: "no quantity" });
    return z.NEVER;
  });
const positive = z.number().positive().finite();

const price = z.strictObject({ input: z.number().nonnegative(), output: z.number().nonnegative() });
const server = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  model: text,
  keyVariable: z
    .string()
    .regex(/^[A-Za-z_]\w*$/)
    .exactOptional(),
  contextLength: z.number().int().positive().exactOptional(),
  price: price.exactOptional(),
});
const labels = z.strictObject({ labels: z.union([z.literal("infer"), z.array(label).min(2)]) });
const schema = z.strictObject({ schema: z.union([text, z.record(z.string(), z.unknown())]) });
const sides = z.strictObject({ train: text, validation: text.exactOptional(), test: text });
const fields = z.strictObject({
  input: text.exactOptional(),
  output: text.exactOptional(),
  alternatives: text.exactOptional(),
  id: text.exactOptional(),
  group: text.exactOptional(),
  evidence: text.exactOptional(),
  variants: text.exactOptional(),
});
const rows = { query: text.exactOptional(), id: text.exactOptional(), title: text.exactOptional(), group: text.exactOptional() };
const source = z.strictObject({
  sqlite: text.exactOptional(),
  postgres: text.exactOptional(),
  graph: text.exactOptional(),
  name: text.exactOptional(),
  ...rows,
});
/** One object of all fields and not a union of three, so that what is wrong is told of the one that was meant. */
const special = source.transform(({ sqlite, postgres, graph, name, query, ...fields }, context): DocumentSource => {
  const refuse = (...path: readonly string[]): never => {
    context.addIssue({ code: "custom", message: "no source", path: [...path] });
    return z.NEVER;
  };
  if ([sqlite, postgres, graph].filter((one) => one !== undefined).length !== 1) return refuse();
  const others = [query, name, ...Object.values(fields)].some((one) => one !== undefined);
  if (graph !== undefined) return others ? refuse() : { graph };
  if (query === undefined) return refuse("query");
  return sqlite === undefined
    ? { postgres: postgres!, query, ...fields, ...(name !== undefined && { name }) }
    : { sqlite, query, ...fields };
});
const constraints = z.strictObject({
  p95: quantity(parseDuration).exactOptional(),
  costPer1k: positive.exactOptional(),
  memory: quantity(parseSize).exactOptional(),
  local: z.boolean().exactOptional(),
});
const usage = z.strictObject({
  requestsPerMonth: z.number().nonnegative().finite().default(10_000),
  updatesPerMonth: z.number().nonnegative().finite().default(4),
  months: positive.default(12),
});
const prices = z.strictObject({ machineHour: positive.exactOptional(), source: text });

/** A task as it is written down. What follows from the data (output kind, metrics, instruction) has its default in `readTask`. */
export const settingsSchema = z.strictObject({
  name: text.exactOptional(),
  instruction: text.exactOptional(),
  output: z.union([z.literal("text"), labels, schema]).exactOptional(),
  examples: z.union([text, sides]).exactOptional(),
  fields: fields.default({}),
  documents: oneOrMore(z.union([text, special])).default([]),
  metrics: oneOrMore(text).exactOptional(),
  models: z
    .array(z.union([text, server]))
    .min(1)
    .default(["smollm2-135m-instruct"]),
  strategies: z.union([z.literal("all"), oneOrMore(text)]).default("all"),
  objective: z.enum(["cost", "latency", "update"]).default("cost"),
  tolerance: z.number().min(0).max(1).default(0.05),
  constraints: constraints.default({}),
  usage: usage.prefault({}),
  prices: prices.exactOptional(),
  seed: z.number().int().min(0).default(0),
  abstention: text.exactOptional(),
});

export type Settings = z.output<typeof settingsSchema>;

/** The names that may stand at a path, for suggestions. List positions are left out of paths. */
export const namesAt: { readonly [path: string]: readonly string[] } = {
  "": Object.keys(settingsSchema.shape),
  output: ["labels", "schema"],
  examples: Object.keys(sides.shape),
  fields: Object.keys(fields.shape),
  documents: Object.keys(source.shape),
  models: Object.keys(server.shape),
  "models.price": Object.keys(price.shape),
  constraints: Object.keys(constraints.shape),
  usage: Object.keys(usage.shape),
  prices: Object.keys(prices.shape),
};

const many = "a number from 0 up";
/** What stands at a path must be this: the way out of every type error. */
export const expectedAt: { readonly [path: string]: string } = {
  "": "a list of fields such as instruction, output, examples",
  name: "a name",
  instruction: "what the model is to do, in words",
  output: "text, { labels: [...] }, { labels: infer } or { schema: {...} }",
  "output.labels": "infer, or a list of at least two labels",
  "output.schema": "a JSON schema, or the path of one",
  examples: "the path of a .jsonl or .csv file, or { train, validation, test }",
  "examples.train": "the path of a .jsonl or .csv file",
  "examples.validation": "the path of a .jsonl or .csv file",
  "examples.test": "the path of a .jsonl or .csv file",
  fields: "names of fields in the examples, such as { input: question, output: answer }",
  documents: "a path, a pattern, an address, { sqlite, query }, { postgres, query }, { graph }, or a list of them",
  "documents.sqlite": "the path of an SQLite file",
  "documents.postgres": "an address such as postgres://localhost/shop, or $NAME of the environment variable that holds it",
  "documents.name": "what ids of its documents begin with",
  "documents.graph": "the path of a .nt, .ttl or .csv file of triples",
  "documents.query": "a query such as select * from products",
  "documents.id": "the name of a column",
  "documents.title": "the name of a column",
  "documents.group": "the name of a column",
  metrics: "the name of a metric, or a list of them",
  models: "a list of catalogue names, paths of .gguf files, or { url, model }",
  "models.url": "the address of a server, such as http://localhost:8080/v1",
  "models.model": "the name of a model of that server",
  "models.keyVariable": "the name of the environment variable that holds the key",
  "models.contextLength": "a whole number of tokens",
  "models.price": "{ input, output } in dollars for a million tokens",
  "models.price.input": many,
  "models.price.output": many,
  strategies: 'all, or a list of strategies such as "few-shot" and "rag-bm25 > lora"',
  objective: "cost, latency or update",
  tolerance: "a number from 0 to 1",
  constraints: "limits: { p95, costPer1k, memory, local }",
  "constraints.p95": "a duration such as 2s or 500ms",
  "constraints.costPer1k": "dollars for 1,000 requests, a number above 0",
  "constraints.memory": "a size such as 4GB",
  "constraints.local": "true or false",
  usage: "{ requestsPerMonth, updatesPerMonth, months }",
  "usage.requestsPerMonth": many,
  "usage.updatesPerMonth": many,
  "usage.months": "a number above 0",
  prices: "{ machineHour, source }",
  "prices.machineHour": "dollars for an hour of your machine, a number above 0",
  "prices.source": "who says so: the name of a bill or a price list",
  seed: "a whole number from 0 up",
  abstention: "the answer that means: the documents do not say",
};
