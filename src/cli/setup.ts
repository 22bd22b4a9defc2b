// `sartor setup local`: the packages that run and tune models on this machine, in a folder of sartor's own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { messageOf, UserError } from "../index.ts";
import { readEnvironment } from "./environment.ts";

/** What of our package.json decides here. */
export interface PackageManifest {
  readonly peerDependencies?: { readonly [name: string]: string };
  readonly devDependencies: { readonly [name: string]: string };
  readonly overrides: { readonly [name: string]: unknown };
}

export interface SetupLocalOptions {
  /** Where the packages go: `<folder>/node_modules`. */
  readonly folder: string;
  /** Folders where packages are found without that: `node_modules` beside this package and above it. */
  readonly beside: readonly string[];
  readonly manifest: PackageManifest;
  /** As in `linux-x64`. */
  readonly platform: string;
  /** Installs what the folder's package.json lists. */
  readonly install: (folder: string) => Promise<void>;
}

const localPackages = ["onnxruntime-node", "node-llama-cpp", "@lancedb/lancedb", "apache-arrow", "@huggingface/transformers"];

export async function setupVerb(what: string): Promise<void> {
  if (what !== "local") throw new UserError(`There is no setup "${what}". Run: sartor setup local`);
  const folder = readEnvironment().packagesFolder!;
  const url = new URL("../../package.json", import.meta.url);
  const manifest = JSON.parse(await readFile(url, "utf8")) as PackageManifest;
  const beside = createRequire(url).resolve.paths("any") ?? [];
  const platform = `${process.platform}-${process.arch}`;
  console.log(await setupLocal({ folder, beside, manifest, platform, install: npmInstall }));
}

/** Returns what there is to say. Installs nothing that is there in the right version. */
export async function setupLocal({ folder, beside, manifest, platform, install }: SetupLocalOptions): Promise<string> {
  const wanted = Object.fromEntries(
    localPackages.map((name) => [name, (manifest.peerDependencies?.[name] ?? manifest.devDependencies[name])!]),
  );
  const listed = Object.entries(wanted)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
  if ((await missing(wanted, beside)).length === 0) return `Nothing to install: ${listed} are installed beside sartor.`;
  const packages = [join(folder, "node_modules")];
  if ((await missing(wanted, packages)).length === 0) return `Nothing to install: ${listed} are in ${folder}.`;
  const overrides = overridesFor(manifest.overrides, platform);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, "package.json"),
      JSON.stringify({ name: "sartor-local", private: true, dependencies: wanted, overrides }, undefined, 2),
    );
  } catch (cause) {
    throw new UserError(
      `Cannot write to ${folder}: ${messageOf(cause)}. Make it writable, or name another cache folder (XDG_CACHE_HOME).`,
      { cause },
    );
  }
  await install(folder);
  const absent = await missing(wanted, packages);
  if (absent.length > 0) throw new UserError(`npm ended without ${absent.join(", ")} in ${folder}. Remove that folder and try again.`);
  return `Installed ${listed} in ${folder}.`;
}

/**
 * Ours, but for the build of llama.cpp that this machine needs: the others (GPUs, other processors) would be another 600 MB, and LanceDB
 * brings a second ONNX Runtime of 300 MB.
 */
export function overridesFor(overrides: PackageManifest["overrides"], platform: string): PackageManifest["overrides"] {
  const own = `@node-llama-cpp/${platform === "linux-arm" ? "linux-armv7l" : platform}`;
  return Object.fromEntries(Object.entries(overrides).filter(([name]) => name !== own));
}

/** Names of the packages that lie in none of the folders in the wanted version. */
async function missing(wanted: { readonly [name: string]: string }, folders: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(Object.keys(wanted).map((name) => Promise.all(folders.map((folder) => versionIn(folder, name)))));
  return Object.entries(wanted).flatMap(([name, version], at) => (found[at]!.includes(version) ? [] : [name]));
}

async function versionIn(folder: string, name: string): Promise<string | undefined> {
  try {
    return (JSON.parse(await readFile(join(folder, name, "package.json"), "utf8")) as { version: string }).version;
  } catch {
    return undefined;
  }
}

/** Install scripts are left out: what they would fetch is in the packages already, or for GPUs. */
async function npmInstall(folder: string): Promise<void> {
  console.error(`Installing into ${folder}: about 650 MB, some minutes.`);
  const windows = process.platform === "win32";
  const args = ["install", "--prefix", windows ? `"${folder}"` : folder, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = spawn("npm", args, { stdio: ["ignore", process.stderr, process.stderr], shell: windows });
  const [code] = (await once(npm, "exit").catch((cause: unknown) => {
    throw new UserError(`npm does not start: ${messageOf(cause)}. Install it (it comes with Node.js) and try again.`, { cause });
  })) as [number | null];
  if (code !== 0)
    throw new UserError(
      `npm could not install the packages (exit code ${code}; its reasons stand above). Mend that and run again: sartor setup local`,
    );
}
