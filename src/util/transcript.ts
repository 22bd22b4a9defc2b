// A conversation as one text and back: `User: ...` and `Assistant: ...`, a turn a line, as examples with several turns are written.

export interface Turn {
  readonly role: string;
  readonly content: string;
}

const speaker = (role: string): string => role.charAt(0).toUpperCase() + role.slice(1);

/** Of one turn its text as it stands. */
export function transcript(turns: readonly Turn[]): string {
  const [first] = turns;
  return turns.length === 1 && first !== undefined
    ? first.content
    : turns.map(({ role, content }) => `${speaker(role)}: ${content}`).join("\n");
}

const TURN = /^(User|Assistant): /gmu;

/** The turns of a text that begins with a turn and ends with the user's; any other text is one turn of the user's. */
export function turnsOf(text: string): readonly Turn[] {
  const starts = [...text.matchAll(TURN)];
  const turns = starts.map(({ 0: mark, 1: role = "", index }, at) => ({
    role: role.toLowerCase(),
    content: text.slice(index + mark.length, starts[at + 1]?.index ?? text.length).trim(),
  }));
  return turns.length > 1 && starts[0]!.index === 0 && turns.at(-1)!.role === "user" ? turns : [{ role: "user", content: text }];
}
