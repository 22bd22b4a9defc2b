// A name out of a file that may be broken, as it stands in an error.

const LONGEST = 100;

/** Quoted, cut where it grows long, and on one line: what does not print is escaped. */
export function quoted(name: string): string {
  const json = JSON.stringify(name.slice(0, LONGEST + 1)).replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  if (json.length <= LONGEST) return json;
  return `${json.slice(0, LONGEST).replace(/\\(u[0-9a-f]{0,3})?$/, "")}..."`;
}
