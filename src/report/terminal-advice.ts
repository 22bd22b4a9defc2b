// Advice as text for a terminal: a block a family, the eight considerations below it. Knows no stream.
import { type Advice, considerations } from "./advise.ts";
import { clean, hang, padEnd, wrap } from "./terminal-text.ts";

/** No line is wider than `width` (at least 40). */
export function terminalAdvice(advice: Advice, { width }: { readonly width: number }): string {
  const room = Math.max(40, width);
  const names = Object.keys(considerations) as (keyof typeof considerations)[];
  const label = Math.max(...names.map((name) => name.length)) + 4;
  const head = [...wrap(`How to choose for ${advice.task}`, room), "", ...wrap(advice.recommendation, room)];
  const blocks = advice.rows.map(({ family, candidate, others, cells }) => {
    const measured =
      candidate === null ? "not measured" : `${candidate}${others.length === 0 ? "" : `; also measured: ${others.join(", ")}`}`;
    const title = hang(`${family.toUpperCase()}: `, clean(measured), room);
    return ["", ...title, ...names.flatMap((name) => hang(padEnd(`  ${name}`, label), cells[name], room))];
  });
  return [...head, ...blocks.flat()].join("\n");
}
