// HTML as a tagged template: what is put in is text and gets escaped, unless it is markup already.

/** HTML that is safe to put into a page. */
export interface Markup {
  readonly markup: string;
}

type Part = string | number | Markup | readonly Part[];

/** Escapes everything put in but other markup; lists are joined. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { markup: texts.map((text, index) => (index === 0 ? text : shown(parts[index - 1]!) + text)).join("") };
}

/** Text that is known to be markup. */
export const raw = (markup: string): Markup => ({ markup });

export const nothing: Markup = raw("");

const entities: { readonly [character: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function shown(part: Part): string {
  if (typeof part === "number") return String(part);
  if (typeof part === "string") return part.replace(/[&<>"']/gu, (character) => entities[character]!);
  return "markup" in part ? part.markup : part.map(shown).join("");
}

/** JSON that may stand in a script element: no `<` of the data can end it. */
export function scriptJson(value: unknown): Markup {
  return raw(JSON.stringify(value).replaceAll("<", "\\u003c"));
}
