// Path patterns: * and ? within a name, ** across folders, [abc], {a,b}. Knows nothing of the file system.

/** Whether a path is a pattern. */
export function isPattern(path: string): boolean {
  return /[*?[{]/.test(path);
}

/** The folder a pattern's matches lie below: all before the first name with a wildcard. `docs/*.md` -> `docs` */
export function folderOfPattern(pattern: string): string {
  const names = pattern.split("/");
  return names.slice(0, names.findIndex(isPattern)).join("/");
}

const translations: { readonly [token: string]: string } = {
  "**/": "(?:[^/]+/)*",
  "**": ".*",
  "*": "[^/]*",
  "?": "[^/]",
  "{": "(?:",
  "}": ")",
  ",": "|",
};

/** A regular expression for the whole path (with forward slashes). A comma outside braces is itself. */
export function patternToRegExp(pattern: string): RegExp {
  let depth = 0;
  const source = pattern.replaceAll(/\*\*\/|\*\*|\[[^\]/]+\]|[^]/gu, (token) => {
    if (token === "{") depth++;
    if (token === "}") depth--;
    if (token.length > 2 && token.startsWith("[")) return token.replace(/^\[!/, "[^").replaceAll("\\", "\\\\");
    const special = token === "," && depth === 0 ? undefined : translations[token];
    return special ?? token.replaceAll(/[\\^$.|+()[\]{}/]/g, "\\$&");
  });
  return new RegExp(`^${source}$`, "u");
}
