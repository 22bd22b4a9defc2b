// What a person should know of a task's data before believing a comparison. One line each.
import type { LabelledExample, Task } from "../task.ts";
import { groupBy } from "../util/group-by.ts";
import { words } from "../util/words.ts";
import { counted, shown } from "./shown.ts";

/** Small models here read about 2,000 tokens, the answer and the instruction included. */
const longInputWords = 1200;
const rareLabel = 5;

/** Synthetic examples, conflicting outputs, unbalanced or unused labels, rare abstention, very long inputs. */
export function dataNotices({ task }: { readonly task: Task }): string[] {
  const { examples, output } = task;
  return [
    ...madeUp(examples),
    ...conflicts(examples),
    ...(output.kind === "labels" ? imbalance(examples, output.labels) : []),
    ...abstentions(task),
    ...longInputs(examples),
  ];
}

/** Questions that nobody asked. */
function madeUp(examples: readonly LabelledExample[]): string[] {
  const count = examples.filter(({ synthetic }) => synthetic === true).length;
  if (count === 0) return [];
  const whole = count === examples.length ? "All" : `${count} of`;
  return [
    `${whole} ${examples.length} examples are synthetic: made from the documents, asked by nobody. Every figure measured on them says so; people's questions may be answered worse.`,
  ];
}

/** Identical inputs (up to spaces and case) with different outputs: no candidate can be right on all of them. */
function conflicts(examples: readonly LabelledExample[]): string[] {
  const sets = groupBy(examples, ({ input }) => input.normalize("NFKC").trim().replaceAll(/\s+/g, " ").toLowerCase());
  const conflicting = [...sets.values()].filter((set) => new Set(set.map(({ output }) => output)).size > 1);
  const [first] = conflicting;
  if (first === undefined) return [];
  const outputs = [...new Set(first.map(({ output }) => shown(output)))].slice(0, 3).join(", ");
  const ids = first
    .slice(0, 3)
    .map(({ id }) => id)
    .join(", ");
  const inputs = conflicting.length === 1 ? "An input has" : `${conflicting.length} inputs have`;
  return [
    `${inputs} different outputs in different examples (${ids}: ${outputs}): no candidate can be right on all of them. Mend the wrong ones.`,
  ];
}

function imbalance(examples: readonly LabelledExample[], labels: readonly string[]): string[] {
  const counts = labels
    .map((label) => ({ label, count: examples.filter(({ output }) => output === label).length }))
    .sort((x, y) => x.count - y.count);
  const naming = (list: readonly { readonly label: string; readonly count: number }[]): string =>
    `${list
      .slice(0, 5)
      .map(({ label, count }) => `${label} (${count})`)
      .join(", ")}${list.length > 5 ? `, and ${list.length - 5} more` : ""}`;
  const unused = counts.filter(({ count }) => count === 0);
  const rare = counts.filter(({ count }) => count > 0 && count < rareLabel);
  const most = counts.at(-1);
  const notices: string[] = [];
  if (unused.length > 0)
    notices.push(
      `Labels without an example: ${unused
        .slice(0, 5)
        .map(({ label }) => label)
        .join(", ")}${unused.length > 5 ? `, and ${unused.length - 5} more` : ""}.`,
    );
  if (rare.length > 0)
    notices.push(`Labels with fewer than ${rareLabel} examples, which can neither be learnt nor measured well: ${naming(rare)}.`);
  if (most !== undefined && most.count > examples.length * Math.max(0.5, 2 / labels.length)) {
    notices.push(
      `${Math.round((100 * most.count) / examples.length)} % of the examples are "${most.label}": always answering so would be that accurate. Look at macro-f1 too.`,
    );
  }
  return notices;
}

function abstentions({ examples, output, abstention }: Task): string[] {
  if (abstention === undefined || output.kind !== "text") return [];
  const count = examples.filter((example) => example.output === abstention).length;
  return count > 0 ? [] : [`No example has the output "${abstention}", which the task names as its abstention.`];
}

function longInputs(examples: readonly LabelledExample[]): string[] {
  const long = examples.map(({ id, input }) => ({ id, length: words(input).length })).filter(({ length }) => length > longInputWords);
  if (long.length === 0) return [];
  const longest = long.reduce((most, one) => (one.length > most.length ? one : most));
  return [
    `${counted(long.length, "input")} of more than ${longInputWords.toLocaleString("en")} words (the longest, ${longest.id}, ${longest.length.toLocaleString("en")}): small models may not read that much at once.`,
  ];
}
