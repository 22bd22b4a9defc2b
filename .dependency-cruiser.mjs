// The import rule of the design: a folder imports only rows above its own. Run by `npm test`.
import { readFileSync } from "node:fs";

const layers = JSON.parse(readFileSync(new URL("./test/architecture/layers.json", import.meta.url), "utf8"));
const pattern = (layer) => (layer.endsWith(".ts") ? `^src/${layer.replace(".", "\\.")}$` : `^src/${layer}/`);
// errors.ts stands beside util; the type files may know each other (candidate -> model, task).
const typeFiles = ["task.ts", "model.ts", "store.ts", "candidate.ts", "evaluation.ts"];

const layerRules = layers.map((layer, index) => ({
  name: `${layer} imports only rows above`,
  severity: "error",
  from: { path: pattern(layer), pathNot: "\\.test\\.ts$" },
  to: { path: layers.slice(index + 1).filter((below) => !(typeFiles.includes(layer) && typeFiles.includes(below))).map(pattern) },
}));

const only = (name, module, importers) => ({
  name: `${name} is imported only by ${importers.join(", ")}`,
  severity: "error",
  from: { path: "^src/", pathNot: [...importers.map((importer) => `^src/${importer}/`), "\\.test\\.ts$"] },
  to: { path: `node_modules/${module}(/|$)` },
});

const families = ["prompt", "retrieve", "tune", "pretrain", "baseline"];

export default {
  forbidden: [
    ...layerRules.filter((rule) => rule.to.path.length > 0),
    { name: "no cycles", severity: "error", from: { path: "^src/" }, to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } } },
    only("onnxruntime-node", "onnxruntime-node", ["runtime"]),
    only("node-llama-cpp", "node-llama-cpp", ["model"]),
    only("LanceDB", "@lancedb/lancedb", ["retriever"]),
    ...families.map((family) => ({
      name: `strategy/${family} imports no other family`,
      severity: "error",
      from: { path: `^src/strategy/${family}/` },
      to: { path: families.filter((other) => other !== family).map((other) => `^src/strategy/${other}/`) },
    })),
    { name: "graph is pure", severity: "error", from: { path: "^src/graph/", pathNot: "\\.test\\.ts$" }, to: { path: "^src/", pathNot: ["^src/graph/", "^src/util/", "^src/errors\\.ts$"] } },
    { name: "serve uses index.ts only", severity: "error", from: { path: "^src/serve/", pathNot: "\\.test\\.ts$" }, to: { path: "^src/", pathNot: ["^src/serve/", "^src/index\\.ts$"] } },
    { name: "cli uses index.ts and serve only", severity: "error", from: { path: "^src/cli/", pathNot: "\\.test\\.ts$" }, to: { path: "^src/", pathNot: ["^src/cli/", "^src/serve/", "^src/index\\.ts$"] } },
  ],
  options: { parser: "swc", tsPreCompilationDeps: true, doNotFollow: { path: "node_modules" }, enhancedResolveOptions: { extensions: [".ts", ".js"] } },
};
