// Packages that not every install has: beside this one, else where `sartor setup local` puts them.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export interface ImportPackageOptions<T> {
  readonly name: string;
  /** `() => import("name")`, written out so that tools see the dependency. */
  readonly beside: () => Promise<T>;
  /** Holds a `package.json` and `node_modules`. */
  readonly folder: string | undefined;
}

/** The package as a module. Throws what the import beside this package threw when neither place has it. */
export async function importPackage<T>({ name, beside, folder }: ImportPackageOptions<T>): Promise<T> {
  try {
    return await beside();
  } catch (cause) {
    if (folder === undefined) throw cause;
    const entry = entryIn(folder, name);
    if (entry === undefined) throw cause;
    return (await import(entry)) as T;
  }
}

function entryIn(folder: string, name: string): string | undefined {
  try {
    return pathToFileURL(createRequire(join(folder, "package.json")).resolve(name)).href;
  } catch {
    return undefined;
  }
}
