// Finds and reads a task's file: sartor.yaml, .yml, .json, .ts or .js. Errors name file, line, field, value and way out.
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isNode, LineCounter, parseDocument } from "yaml";
import type { Document as YamlDocument } from "yaml";
import type { z } from "zod";
import { messageOf, UserError } from "../errors.ts";
import { didYouMean } from "../util/suggest.ts";
import { jsonErrorOffset } from "./json-error.ts";
import { shown } from "./shown.ts";
import { expectedAt, namesAt, settingsSchema } from "./settings.ts";
import type { Settings } from "./settings.ts";
import { lineAt, readTextFile } from "./text-file.ts";

type Path = readonly PropertyKey[];

export interface SettingsFile {
  readonly settings: Settings;
  /** The file's name and, where a field stands in a line, the line: `sartor.yaml, line 4`. */
  readonly placeOf: (path: Path) => string;
  /** The task's folder, absolute. */
  readonly folder: string;
}

export const settingsNames = ["sartor.yaml", "sartor.yml", "sartor.json", "sartor.ts", "sartor.js", "sartor.mjs"];

/** The settings in a file, or in the one file of a folder that has such a name. Throws UserError. */
export async function readSettings(path: string): Promise<SettingsFile> {
  const file = await locate(resolve(path), path);
  const folder = dirname(file);
  const name = basename(file);
  if (/\.[mc]?[jt]s$/.test(file)) return { ...checked(await importDefault(file, name), () => name), folder };
  return { ...parseSettings(await readTextFile({ path: file, name: path.endsWith(name) ? path : name }), name), folder };
}

/** The settings in YAML or JSON text; `name` is what errors call the file. */
export function parseSettings(text: string, name: string): Omit<SettingsFile, "folder"> {
  if (name.endsWith(".json")) checkJson(text, name);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new UserError(
      `${name}, line ${line}, column ${col}: ${messageOf(problem).split("\n")[0]?.replace(/[.:]$/, "")}. Mend the line.`,
      { cause: problem },
    );
  }
  const placeOf = (path: Path): string => {
    const offset = offsetOf(document, path);
    return offset === undefined ? name : `${name}, line ${lines.linePos(offset).line}`;
  };
  return checked(document.toJS() as unknown, placeOf);
}

/** YAML holds JSON, but its parser says of broken JSON what would mend YAML. */
function checkJson(text: string, name: string): void {
  const broken = jsonErrorOffset(text);
  if (broken === undefined) return;
  const column = broken - text.lastIndexOf("\n", broken - 1);
  const found = text.slice(broken, broken + 20).split("\n")[0] ?? "";
  throw new UserError(
    `${name}, line ${lineAt(text, broken)}, column ${column}: this is no JSON${found === "" ? "" : `: ${found}`}. Mend the line.`,
  );
}

async function locate(absolute: string, written: string): Promise<string> {
  const kind = await stat(absolute).catch(() => undefined);
  if (kind === undefined)
    throw new UserError(`There is no task at ${written}. Name a folder with a sartor.yaml, or make one with "sartor init".`);
  if (!kind.isDirectory()) {
    if (/\.(ya?ml|json|[mc]?[jt]s)$/.test(extname(absolute))) return absolute;
    throw new UserError(`${written} is no task: a task is a .yaml, .yml, .json, .ts or .js file, or a folder with a sartor.yaml.`);
  }
  const names = new Set(await readdir(absolute));
  const found = settingsNames.filter((name) => names.has(name));
  if (found.length > 1) throw new UserError(`${written} holds ${found.join(" and ")}. Keep one of them, or name the one you mean.`);
  if (found[0] === undefined) throw new UserError(`${written} holds no sartor.yaml. Make one with "sartor init ${written}".`);
  return join(absolute, found[0]);
}

async function importDefault(file: string, name: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
    if (module.default !== undefined) return module.default;
  } catch (cause) {
    const unknownExtension = cause instanceof Error && "code" in cause && cause.code === "ERR_UNKNOWN_FILE_EXTENSION";
    const reason = unknownExtension ? `this Node (${process.version}) does not read TypeScript` : messageOf(cause).split("\n")[0];
    throw new UserError(`${name} can't be loaded: ${reason}. Mend it, or write the task as sartor.yaml.`, { cause });
  }
  throw new UserError(`${name} has no default export. Write "export default { instruction: ... }".`);
}

function checked(value: unknown, placeOf: (path: Path) => string): Omit<SettingsFile, "folder"> {
  const result = settingsSchema.safeParse(value ?? {});
  if (result.success) return { settings: result.data, placeOf };
  const issues = flatten(result.error.issues, []);
  // A misspelt field explains a missing one, so it is told first.
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
  if (issue === undefined) throw new Error("zod failed without an issue");
  throw new UserError(messageFor(issue, value, placeOf));
}

type Issue = z.core.$ZodIssue;

/** Unions report one list of issues for each way they could have been meant: the way that got furthest into the value is told. */
function flatten(issues: readonly Issue[], above: Path): Issue[] {
  return issues.flatMap((issue) => {
    const path = [...above, ...issue.path];
    const nested = issue.code === "invalid_union" ? issue.errors.map((errors) => flatten(errors, path)) : [];
    const deeper = nested.flat().filter((one) => one.path.length > path.length || one.code === "unrecognized_keys");
    return deeper.length > 0 ? deeper : [{ ...issue, path: [...path] }];
  });
}

function messageFor(issue: Issue, value: unknown, placeOf: (path: Path) => string): string {
  const field = named(issue.path);
  const names = issue.path.filter((part) => typeof part === "string").join(".");
  if (issue.code === "unrecognized_keys") {
    const [key = ""] = issue.keys;
    const owner = field === "" ? "a task" : field;
    return `${placeOf([...issue.path, key])}: "${key}" is no field of ${owner}. ${didYouMean(key, namesAt[names] ?? [])}`;
  }
  const expected = expectedAt[names] ?? expectedAt[names.split(".").slice(0, -1).join(".")] ?? issue.message;
  const found = issue.path.reduce<unknown>((inner, key) => (inner as { [key: PropertyKey]: unknown } | undefined)?.[key], value);
  const subject = field === "" ? "The task" : field;
  if (found === undefined) return `${placeOf(issue.path.slice(0, -1))}: ${subject} is missing. Give ${expected}.`;
  return `${placeOf(issue.path)}: ${subject} is ${shown(found)}; it must be ${expected}.`;
}

/** `models[0].url` */
function named(path: Path): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index > 0 ? "." : ""}${String(part)}`)).join("");
}

/** Where a field's key stands, or its value in a list. */
function offsetOf(document: YamlDocument, path: Path): number | undefined {
  if (path.length === 0) return undefined;
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  const items = isNode(parent) && "items" in parent ? (parent.items as readonly unknown[]) : [];
  const pair = items.find((item) => typeof item === "object" && item !== null && "key" in item && String(item.key) === String(last)) as
    | { readonly key: unknown }
    | undefined;
  const node = pair === undefined ? document.getIn(path, true) : pair.key;
  return isNode(node) ? node.range?.[0] : offsetOf(document, path.slice(0, -1));
}
