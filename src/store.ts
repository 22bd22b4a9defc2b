// Where results are kept, by key: a folder on disk or memory. Knows nothing of what it keeps.

/**
 * Keys are slash-separated names of letters, digits, `.`, `_` and `-`. Writes are atomic: a reader sees the old content, the new,
 * or nothing. `append` adds whole lines; a line cut short by a crash is dropped when read.
 */
export interface Store {
  readText(key: string): Promise<string | undefined>;
  writeText(key: string, text: string): Promise<void>;
  /** Adds one JSON value as a line. */
  append(key: string, value: unknown): Promise<void>;
  /** The whole lines of an appended file, parsed; empty when there is none. */
  readLines(key: string): Promise<readonly unknown[]>;
  list(prefix: string): Promise<readonly string[]>;
  remove(key: string): Promise<void>;
  /** Absolute path of a file or folder for those that must write one themselves (weights, indexes). Memory stores use a temp folder. */
  path(key: string): Promise<string>;
  /** The same store below a prefix: what a strategy is given. Keys with `..` are refused. */
  scope(prefix: string): Store;
}
