// The import rule of the design: a folder imports only rows above its own; imports of types count too.
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { parseSync } from "oxc-parser";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const layers = JSON.parse(readFileSync(new URL("./layers.json", import.meta.url), "utf8")) as readonly string[];
/** The files of types may know each other. */
const typeFiles = ["task.ts", "model.ts", "store.ts", "candidate.ts", "evaluation.ts"];
const families = ["prompt", "retrieve", "tune", "pretrain", "baseline"];
const onlyImporters: { readonly [packageName: string]: string | readonly string[] } = {
  "onnxruntime-node": "runtime",
  "node-llama-cpp": "model",
  "@lancedb/lancedb": "retriever",
  "@firecrawl/pdf-inspector": "document",
  unpdf: "document",
  // Rows to be read as documents, and vectors.
  postgres: ["document", "retriever"],
  "sql.js": "document",
};

interface Import {
  readonly from: string;
  readonly to: string;
}

const sources = (readdirSync(new URL("src", root), { recursive: true }) as string[])
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));

/** Static and dynamic imports and re-exports, paths below src/ resolved. */
function importsOf(file: string, text = readFileSync(new URL(`src/${file}`, root), "utf8")): readonly Import[] {
  const { module } = parseSync(file, text);
  const dynamic = module.dynamicImports.map(({ moduleRequest: { start, end } }) => text.slice(start, end).replace(/^["'`]|["'`]$/gu, ""));
  const exported = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest }) => (moduleRequest === null ? [] : [moduleRequest.value])),
  );
  const named = [...module.staticImports.map(({ moduleRequest }) => moduleRequest.value), ...exported, ...dynamic];
  return named.map((to) => ({ from: file, to: to.startsWith(".") ? posix.join(posix.dirname(file), to) : to }));
}

const layerOf = (file: string): string => file.split("/")[0]!;

/** Why an import is against the rule; undefined where it is not. */
function fault({ from, to }: Import): string | undefined {
  const [layer, target] = [layerOf(from), layerOf(to)];
  const importer = Object.entries(onlyImporters).find(([name]) => to === name || to.startsWith(`${name}/`))?.[1];
  if (importer !== undefined)
    return [importer].flat().includes(layer) ? undefined : `only ${[importer].flat().join("/ and ")}/ imports ${to}`;
  if (!to.endsWith(".ts")) return undefined;
  if (!layers.includes(layer)) return `${layer} stands in no row`;
  if (layer === target || (typeFiles.includes(layer) && typeFiles.includes(target))) return familyFault(from, to);
  if (layer === "serve" || layer === "cli")
    return target === "index.ts" || (layer === "cli" && target === "serve") ? undefined : `${layer}/ uses index.ts only`;
  if (layer === "graph" && target !== "util" && target !== "errors.ts") return "graph/ is pure";
  return layers.indexOf(target) < layers.indexOf(layer) ? undefined : `${target} is no row above ${layer}`;
}

function familyFault(from: string, to: string): string | undefined {
  const [one, other] = [from, to].map((file) => file.split("/")[1]!);
  return layerOf(from) === "strategy" && families.includes(one!) && families.includes(other!) && one !== other
    ? "families of strategies never import each other"
    : undefined;
}

test("every folder imports only rows above its own", () => {
  const faults = sources.flatMap((file) =>
    importsOf(file).flatMap((one) => (fault(one) === undefined ? [] : [`${one.from} -> ${one.to}: ${fault(one)}`])),
  );
  expect(faults).toEqual([]);
});

test("the rule sees imports of types, re-exports and dynamic imports", () => {
  const text =
    'import type { A } from "../task.ts"; export { b } from "../cli/main.ts"; const c = await import("onnxruntime-node"); await using d = c;';
  expect(importsOf("util/x.ts", text).map(fault)).toEqual([
    "task.ts is no row above util",
    "cli is no row above util",
    "only runtime/ imports onnxruntime-node",
  ]);
});

test("strategies of one family know none of another", () => {
  expect(fault({ from: "strategy/tune/lora.ts", to: "strategy/prompt/search.ts" })).toBe("families of strategies never import each other");
  expect(fault({ from: "strategy/combine/cascade.ts", to: "strategy/linear.ts" })).toBeUndefined();
});
