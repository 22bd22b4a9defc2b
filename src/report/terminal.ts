// A report as text for a terminal: the table, the recommendation, what was set aside or not run. Knows no stream.
import pc from "picocolors";
import { cost, counted, difference, score, seconds, share, bytes } from "../util/figures.ts";
import type { Report, ReportCandidate } from "./schema.ts";
import { clean, hang, padEnd, padStart, widthOf, wrap } from "./terminal-text.ts";
import {
  figuresSentence,
  headline,
  metricName,
  nameById,
  nameOf,
  ranked,
  reasonText,
  rejection,
  type Status,
  syntheticText,
  verdicts,
} from "./view.ts";

export interface TerminalOptions {
  /** Columns of the terminal; lines are never longer, down to 40. */
  readonly width: number;
  readonly colour: boolean;
}

type Paint = ReturnType<typeof pc.createColors>;

const marks: { readonly [S in Status]: string } = { winner: "*", "in the race": "+", beaten: " ", ineligible: "x", measured: "~" };
const meanings: { readonly [S in Status]: string } = {
  winner: "* recommended",
  "in the race": "+ in the race",
  beaten: "unmarked: beaten",
  ineligible: "x set aside",
  measured: "~ not told apart",
};

interface Column {
  readonly title: string;
  readonly cell: (candidate: ReportCandidate) => string;
}

/** In the order in which they are given room. */
const columns: readonly Column[] = [
  { title: "score", cell: ({ score: { value } }) => score(value) },
  { title: "95 %", cell: ({ score: { low, high } }) => `${low.toFixed(2)}-${high.toFixed(2)}` },
  { title: "p50", cell: ({ latency }) => seconds(latency.p50) },
  { title: "per 1k", cell: ({ cost: { per1k, unit } }) => cost(per1k, unit) },
  { title: "build", cell: ({ build }) => seconds(build.seconds) },
  { title: "update", cell: ({ update }) => seconds(update.seconds) },
  { title: "p95", cell: ({ latency }) => seconds(latency.p95) },
  { title: "memory", cell: ({ inference }) => (inference.peakMemoryBytes === null ? "-" : bytes(inference.peakMemoryBytes)) },
  { title: "labels", cell: ({ build }) => String(build.labelledExamples) },
  { title: "errors", cell: ({ score: { errors } }) => String(errors) },
  { title: "same", cell: ({ consistency }) => (consistency === undefined ? "-" : share(consistency)) },
  {
    title: "forgot",
    cell: ({ forgetting }) => (forgetting === undefined ? "-" : difference(forgetting.probeAfter - forgetting.probeBefore)),
  },
];

/** The whole report; no line is wider than `width` (at least 40). */
export function terminalReport(report: Report, { width, colour }: TerminalOptions): string {
  const room = Math.max(40, width);
  const paint = pc.createColors(colour);
  const blocks = [titleOf(report, room, paint), tableOf(report, room, paint), recommended(report, room, paint), aside(report, room, paint)];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n");
}

function titleOf(report: Report, width: number, paint: Paint): readonly string[] {
  const { task, split, testUses } = report;
  const synthetic = syntheticText(report);
  const models = task.models.length === 0 ? "" : ` Models: ${task.models.join(", ")}.`;
  const uses = testUses > 1 ? ` The test examples were looked at ${testUses} times.` : "";
  return [
    ...wrap(task.name, width).map((line) => paint.bold(line)),
    ...wrap(`Score: ${metricName(report)} on ${counted(split.test, "test example")}.${models}${uses}`, width).map((line) =>
      paint.dim(line),
    ),
    ...(synthetic === "" ? [] : wrap(synthetic, width).map((line) => paint.bold(line))),
  ];
}

/** Names keep at least this many columns before a further column of figures is shown. */
const leastName = 20;

function tableOf(report: Report, width: number, paint: Paint): readonly string[] {
  const candidates = ranked(report);
  if (candidates.length === 0) return [];
  const names = candidates.map((candidate) => clean(nameOf(report, candidate)));
  const longest = Math.max("candidate".length, ...names.map(widthOf));
  const { shown, left } = fitting(candidates, width - 2, longest);
  const nameWidth = Math.min(longest, left);
  const line = (mark: string, name: string, cells: readonly string[]): string =>
    `${mark} ${padEnd(name, nameWidth)}${cells.map((cell, index) => `  ${padStart(cell, shown[index]?.width ?? 0)}`).join("")}`.trimEnd();
  const titles = shown.map(({ title }) => title);
  const rows = candidates.flatMap((candidate, index) => {
    const name = names[index] ?? "";
    const [first = "", ...more] = widthOf(name) <= nameWidth ? [name] : wrap(name, nameWidth - 2);
    const cells = shown.map(({ cell }) => cell(candidate));
    const lines = [line(marks[candidate.status], first, cells), ...more.map((part) => line(" ", `  ${part}`, []))];
    return lines.map((text) => painted(candidate.status, text, paint));
  });
  return [paint.dim(line(" ", "candidate", titles)), ...rows, ...hang("  ", legend(candidates), width).map((text) => paint.dim(text))];
}

type Sized = Column & { readonly width: number };

/** The columns there is room for, and what is left for the names. The first six earn wrapped names, the rest come only where names stay whole. */
function fitting(
  candidates: readonly ReportCandidate[],
  width: number,
  longest: number,
): { readonly shown: readonly Sized[]; readonly left: number } {
  const shown: Sized[] = [];
  let left = width;
  for (const column of columns) {
    const own = Math.max(column.title.length, ...candidates.map((one) => widthOf(column.cell(one))));
    if (left - own - 2 < (shown.length < 6 ? Math.min(longest, leastName) : longest)) break;
    shown.push({ ...column, width: own });
    left -= own + 2;
  }
  return { shown, left };
}

const painted = (status: Status, text: string, paint: Paint): string => {
  if (status === "winner") return paint.bold(paint.green(text));
  return status === "beaten" || status === "ineligible" ? paint.dim(text) : text;
};

const legend = (candidates: readonly ReportCandidate[]): string => {
  const there = new Set(candidates.map(({ status }) => status));
  return Object.entries(meanings)
    .flatMap(([status, text]) => (there.has(status as Status) && text !== "" ? [text] : []))
    .join(", ");
};

function recommended(report: Report, width: number, paint: Paint): readonly string[] {
  const { status } = report.recommendation;
  const paragraphs = [figuresSentence(report), reasonText(report)].filter((text) => text !== "");
  return [
    ...wrap(`${verdicts[status]}. ${headline(report)}`, width).map((line) => paint.bold(line)),
    ...paragraphs.flatMap((text) => wrap(text, width)),
  ];
}

/** Candidates left out of the choice, techniques that did not run, errors: short. */
function aside(report: Report, width: number, paint: Paint): readonly string[] {
  const { recommendation, notRun, candidates, notices } = report;
  const rejected = recommendation.rejected.map((one) => `${nameById(report, one.id)}: ${rejection(one)}`);
  const failing = candidates.filter(({ score: { errors } }) => errors > 0);
  const errors = failing.map(
    (one) =>
      `${nameOf(report, one)}: ${Object.entries(one.errorsByKind)
        .map(([kind, times]) => `${times} ${kind}`)
        .join(", ")} of ${one.score.n}`,
  );
  const skipped = notRun.map(({ strategy, reason }) => `${strategy}: ${reason}`);
  const block = (title: string, lines: readonly string[], most: number): readonly string[] => {
    if (lines.length === 0) return [];
    const more = lines.length > most ? [`  and ${lines.length - most} more, in the report`] : [];
    return [paint.bold(title), ...lines.slice(0, most).flatMap((text) => hang("  ", text, width)), ...more];
  };
  return [
    ...block("Set aside", rejected, 8),
    ...block("Errors", errors, 5),
    ...block("Not run", skipped, 6),
    ...block("Notices", notices, 4),
  ];
}

export { terminalAdvice } from "./terminal-advice.ts";
