// What a store's key may look like. Shared by every store.

const segment = /^[A-Za-z0-9._-]+$/;

/** Whether a name may stand between the slashes of a key. */
export function isSegment(name: string): boolean {
  return segment.test(name) && name !== "." && name !== "..";
}

/** The key itself. Throws RangeError for anything that could leave the store or differ between machines. */
export function checkKey(key: string): string {
  if (key.split("/").every(isSegment)) return key;
  throw new RangeError(`"${key}" is no store key: slash-separated names of letters, digits, ".", "_" and "-", none of them "." or ".."`);
}

/** A prefix names a folder: "" for the whole store. One slash at its end is allowed. */
export function checkPrefix(prefix: string): string {
  const folder = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
  return folder === "" ? "" : checkKey(folder);
}

/** `key` below `prefix`. */
export function below(prefix: string, key: string): string {
  return prefix === "" ? key : `${prefix}/${key}`;
}
