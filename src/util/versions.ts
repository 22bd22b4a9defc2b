// Versions that a result depends on: this package, Node, and the local runtimes where they are installed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const own = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string };

function installed(name: string): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const folder = entry.slice(0, entry.lastIndexOf(`node_modules/${name}`) + `node_modules/${name}`.length);
    return (JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as { readonly version: string }).version;
  } catch {
    return undefined;
  }
}

const runtimes = ["node-llama-cpp", "onnxruntime-node", "@lancedb/lancedb"].flatMap((name) => {
  const version = installed(name);
  return version === undefined ? [] : [[name, version]];
});

/** By name, as they stand in a report. */
export const versions: { readonly [name: string]: string } = {
  sartor: own.version,
  node: process.versions.node,
  ...(Object.fromEntries(runtimes) as { [name: string]: string }),
};
