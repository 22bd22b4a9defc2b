// How a reviewer's comment stands in the text.

export interface Comment {
  readonly author: string;
  readonly time?: string | undefined;
  readonly text: string;
}

/** `[author: Jane Smith, time: 2026-06-18T17:12:57]: Why?` */
export function commentLine({ author, time, text }: Comment): string {
  const from = [author === "" ? "" : `author: ${author}`, time === undefined ? "" : `time: ${time}`]
    .filter((part) => part !== "")
    .join(", ");
  return `[${from === "" ? "comment" : from}]: ${text.replaceAll(/\s+/g, " ").trim()}`;
}
