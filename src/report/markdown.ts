// A report as Markdown: what a pull request or a wiki page shows. Data is escaped, so a table stays a table.
import { bytes, cost, counted, difference, interval, moment, notMeasured, score, seconds, share } from "../util/figures.ts";
import type { Report, ReportCandidate } from "./schema.ts";
import {
  constraintText,
  differencesTo,
  figuresSentence,
  headline,
  method,
  metricName,
  nameById,
  nameOf,
  ranked,
  reasonText,
  referenceOf,
  rejection,
  statusWords,
  syntheticText,
  verdicts,
} from "./view.ts";

/** The whole report; ends with a newline. */
export function markdownReport(report: Report): string {
  const sections = [
    head(report),
    candidateTable(report),
    differences(report),
    learning(report),
    forgetting(report),
    updates(report),
    leftOut(report),
    footing(report),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

/** Text that may stand anywhere: no markup, no line breaks. */
function escaped(text: string): string {
  return text
    .replace(/\s+/gu, " ")
    .replace(/[\\`*_[\]{}<>#|~$]/gu, (character) => (character === "<" ? "&lt;" : character === ">" ? "&gt;" : `\\${character}`));
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(titles), line(titles.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

const list = (items: readonly string[]): string => items.map((item) => `- ${item}`).join("\n");

function head(report: Report): string {
  const { task, createdAt, runId, recommendation } = report;
  const lines = [figuresSentence(report), reasonText(report)].filter((text) => text !== "");
  const synthetic = syntheticText(report);
  return [
    `# ${escaped(task.name)}`,
    `**${verdicts[recommendation.status]}.** **${escaped(headline(report))}**`,
    escaped(lines.join(" ")),
    ...(synthetic === "" ? [] : [`**${escaped(synthetic)}**`]),
    `Run ${escaped(runId)}, ${escaped(moment(createdAt))}.`,
  ].join("\n\n");
}

function candidateTable(report: Report): string {
  const candidates = ranked(report);
  if (candidates.length === 0) return "";
  const titles = [
    "Candidate",
    metricName(report),
    "95 % interval",
    "p50",
    "p95",
    "1,000 answers",
    "Build",
    "Memory",
    "Labels",
    "Errors",
    "Status",
  ];
  const row = (one: ReportCandidate): readonly string[] => [
    one.status === "winner" ? `**${escaped(nameOf(report, one))}**` : escaped(nameOf(report, one)),
    score(one.score.value),
    interval(one.score),
    seconds(one.latency.p50),
    seconds(one.latency.p95),
    escaped(cost(one.cost.per1k, one.cost.unit)),
    seconds(one.build.seconds),
    one.inference.peakMemoryBytes === null ? notMeasured : bytes(one.inference.peakMemoryBytes),
    String(one.build.labelledExamples),
    String(one.score.errors),
    statusWords[one.status],
  ];
  return `## Candidates\n\n${table(titles.map(escaped), candidates.map(row))}`;
}

function differences(report: Report): string {
  const reference = referenceOf(report);
  const found = reference === undefined ? [] : differencesTo(report, reference);
  if (reference === undefined || found.length === 0) return "";
  const rows = found.map((one) => [escaped(nameById(report, one.a)), difference(one.difference), interval(one), String(one.n)]);
  return `## Differences to ${escaped(nameOf(report, reference))}\n\nThe bands hold all at once (95 %).\n\n${table(["Candidate", "Difference", "Band", "Examples"], rows)}`;
}

function learning(report: Report): string {
  const rows = ranked(report).flatMap((one) =>
    (one.curve ?? []).map((point) => [escaped(nameOf(report, one)), String(point.examples), score(point.score)]),
  );
  return rows.length === 0 ? "" : `## Label efficiency\n\n${table(["Candidate", "Training examples", escaped(metricName(report))], rows)}`;
}

function forgetting(report: Report): string {
  const rows = ranked(report).flatMap((one) => {
    if (one.forgetting === undefined) return [];
    const { lossBefore, lossAfter, probeBefore, probeAfter, low, high } = one.forgetting;
    return [
      [escaped(nameOf(report, one)), score(lossBefore), score(lossAfter), share(probeBefore), share(probeAfter), interval({ low, high })],
    ];
  });
  if (rows.length === 0) return "";
  return `## Forgetting\n\n${table(["Candidate", "Loss per byte before", "after", "Probe before", "after", "Change of the probe (95 %)"], rows)}`;
}

function updates(report: Report): string {
  const rows = ranked(report).map((one) => [escaped(nameOf(report, one)), seconds(one.update.seconds), escaped(one.update.how)]);
  return rows.length === 0 ? "" : `## Updates\n\n${table(["Candidate", "Time", "How"], rows)}`;
}

function leftOut(report: Report): string {
  const { recommendation, notRun, candidates } = report;
  const parts: readonly (readonly [title: string, items: readonly string[]])[] = [
    ["Set aside", recommendation.rejected.map((one) => `${escaped(nameById(report, one.id))}: ${escaped(rejection(one))}`)],
    ["Not run", notRun.map(({ strategy, reason }) => `${escaped(strategy)}: ${escaped(reason)}`)],
    ["Notes", candidates.flatMap((one) => one.notes.map((note) => `${escaped(nameOf(report, one))}: ${escaped(note)}`))],
  ];
  return parts
    .filter(([, items]) => items.length > 0)
    .map(([title, items]) => `## ${title}\n\n${list(items)}`)
    .join("\n\n");
}

function footing(report: Report): string {
  const { task, split, testUses, seed, machine, versions, constraints, notices, prices } = report;
  const facts = [
    `${counted(task.examples, "example")}: ${split.train} train, ${split.validation} validation, ${split.test} test, in ${counted(split.groups, "group")}. ${counted(task.documents, "document")}.`,
    `The test examples were looked at in ${counted(testUses, "run")}. Seed ${seed}.`,
    `Machine: ${machine.platform}, ${counted(machine.threads, "thread")}, ${bytes(machine.memoryBytes)}.`,
    `Versions: ${Object.entries(versions)
      .map((pair) => pair.join(" "))
      .join(", ")}.`,
    `Prices: ${prices.source.replace(/\.$/u, "")}.`,
    ...Object.entries(constraints).map(([name, value]) => `Constraint: ${constraintText(name, value)}.`),
    ...notices,
  ];
  return `## How this was measured\n\n${list(facts.map(escaped))}\n\n${method(report)
    .map((step, index) => `${index + 1}. ${escaped(step)}`)
    .join("\n")}`;
}
