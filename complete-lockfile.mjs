// Adds to package-lock.json the other platforms' optional packages that the registry in use did not show, so that `npm ci` accepts the
// file here and finds them elsewhere. Run after `npm install`, if `npm ci` says "Missing: ... from lock file".
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const first = (name, table) => Object.entries(table).find(([word]) => new RegExp(`(^|[-/])${word}([-]|$)`, "u").test(name))?.[1];
const systems = {
  android: "android",
  darwin: "darwin",
  mac: "darwin",
  freebsd: "freebsd",
  linux: "linux",
  win32: "win32",
  win: "win32",
  openharmony: "openharmony",
  wasm32: undefined,
};
const libraries = { gnu: "glibc", musl: "musl" };
const processors = {
  armv7l: "arm",
  arm64: "arm64",
  arm: "arm",
  x64: "x64",
  ia32: "ia32",
  riscv64: "riscv64",
  ppc64: "ppc64",
  s390x: "s390x",
  wasm32: "wasm32",
};

for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (!/^\d/u.test(version) || Object.keys(lock.packages).some((key) => key.endsWith(`node_modules/${name}`))) continue;
    const [os, cpu] = [first(name, systems), first(name, processors)];
    const libc = os === "linux" ? first(name, libraries) : undefined;
    if (os === undefined && cpu === undefined) throw new Error(`No platform in the name of ${name}: look at it by hand.`);
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu && { cpu: [cpu] }),
      ...(entry.dev && { dev: true }),
      ...(libc && { libc: [libc] }),
      optional: true,
      ...(os && { os: [os] }),
    };
    process.stdout.write(`${name}@${version}: ${os ?? "any"} ${cpu ?? "any"}\n`);
  }
}
const sorted = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`);
