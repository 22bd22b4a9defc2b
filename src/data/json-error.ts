// Where a text stops being JSON. JSON.parse says so only sometimes, and never in the same words.

const token =
  /[ \t\n\r]*(?:([{}[\]:,])|("(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/uy;

/** What may come next: a value, a key, the colon after it, a comma or the end, or the end of all. */
type State = "value" | "value or ]" | "key" | "key or }" | "colon" | "after" | "end";

/** The offset of the first character that can't stand where it stands; the text's length when it ends too soon; undefined when it is JSON. */
export function jsonErrorOffset(text: string): number | undefined {
  const open: string[] = [];
  let state: State = "value";
  let offset = 0;
  const end = text.replace(/[ \t\n\r]+$/, "").length;
  while (offset < end) {
    token.lastIndex = offset;
    const found = token.exec(text);
    const start = offset + (/^[ \t\n\r]*/.exec(text.slice(offset))?.[0].length ?? 0);
    const next: State | undefined =
      found === null ? undefined : step(state, found[1] ?? (found[2] === undefined ? "scalar" : "string"), open);
    if (next === undefined) return start;
    state = next;
    offset = token.lastIndex;
  }
  return state === "end" ? undefined : text.length;
}

const closers: { readonly [opener: string]: string } = { "{": "}", "[": "]" };

function step(state: State, kind: string, open: string[]): State | undefined {
  const afterValue = (): State => (open.length === 0 ? "end" : "after");
  const close = (): State => {
    open.pop();
    return afterValue();
  };
  if (state === "value" || state === "value or ]") {
    if (kind === "string" || kind === "scalar") return afterValue();
    if (kind === "]" && state === "value or ]") return close();
    if (kind !== "{" && kind !== "[") return undefined;
    open.push(kind);
    return kind === "{" ? "key or }" : "value or ]";
  }
  if (state === "key" || state === "key or }")
    return kind === "string" ? "colon" : kind === "}" && state === "key or }" ? close() : undefined;
  if (state === "colon") return kind === ":" ? "value" : undefined;
  if (state === "end") return undefined;
  const innermost = open.at(-1) as string;
  if (kind === ",") return innermost === "{" ? "key" : "value";
  return kind === closers[innermost] ? close() : undefined;
}
