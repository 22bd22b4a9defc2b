// The smaller sections of the page: what tuned models forgot, builds and updates, how each candidate was made, what is missing, the run.
import { bytes, cost, count, counted, interval, notMeasured, plain, score, seconds, share } from "../util/figures.ts";
import { html, type Markup, nothing } from "./markup.ts";
import type { Report, ReportCandidate } from "./schema.ts";
import { constraintText, method, nameById, nameOf, ranked, rejection } from "./view.ts";

interface Column {
  readonly title: string;
  readonly cell: (candidate: ReportCandidate) => string;
  readonly text?: true;
}

interface TableSection {
  readonly report: Report;
  readonly id: string;
  readonly heading: string;
  readonly intro: string;
  readonly candidates: readonly ReportCandidate[];
  readonly columns: readonly Column[];
}

function tableSection({ report, id, heading, intro, candidates, columns }: TableSection): Markup {
  if (candidates.length === 0) return nothing;
  const kind = ({ text }: Column): string => (text === true ? "text" : "");
  const row = (one: ReportCandidate): Markup =>
    html`<tr class="${one.status.replaceAll(" ", "-")}">
      <th scope="row" class="text name">${nameOf(report, one)}</th>
      ${columns.map((column) => html`<td class="${kind(column)}">${column.cell(one)}</td>`)}
    </tr>`;
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${heading}</h2>
    <p class="measure quiet">${intro}</p>
    <div class="scroll" role="group" aria-labelledby="${id}" tabindex="0">
      <table class="pinned">
        <caption class="hidden">
          ${heading}
        </caption>
        <thead>
          <tr>
            <th scope="col" class="text">Candidate</th>
            ${columns.map((column) => html`<th scope="col" class="${kind(column)}">${column.title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${candidates.map(row)}
        </tbody>
      </table>
    </div>
  </section>`;
}

export function forgettingSection(report: Report): Markup {
  type Forgetting = NonNullable<ReportCandidate["forgetting"]>;
  const column = (title: string, cell: (forgetting: Forgetting) => string): Column => ({
    title,
    cell: ({ forgetting }) => (forgetting === undefined ? notMeasured : cell(forgetting)),
  });
  return tableSection({
    report,
    id: "forgetting",
    heading: "What tuned models forgot",
    intro:
      "General text and general multiple-choice questions, before and after the weights were changed. A lower loss and a higher share of right answers are better.",
    candidates: ranked(report).filter(({ forgetting }) => forgetting !== undefined),
    columns: [
      column("Loss per byte before", ({ lossBefore }) => score(lossBefore)),
      column("after", ({ lossAfter }) => score(lossAfter)),
      column("Right answers before", ({ probeBefore }) => share(probeBefore)),
      column("after", ({ probeAfter }) => share(probeAfter)),
      column("Change, 95 %", interval),
      column("Questions", ({ n }) => count(n)),
    ],
  });
}

export function buildsSection(report: Report): Markup {
  const { requestsPerMonth, updatesPerMonth, months } = report.usage;
  const price = report.prices.machineHour === undefined ? "" : `, one hour of the machine at ${cost(report.prices.machineHour, "dollars")}`;
  return tableSection({
    report,
    id: "builds",
    heading: "Builds, updates and upkeep",
    intro: `The task states ${count(requestsPerMonth)} requests and ${counted(updatesPerMonth, "update")} a month, over ${counted(months, "month")}. Prices: ${report.prices.source.replace(/\.$/u, "")}${price}. An update is measured until an answer uses it.`,
    candidates: ranked(report),
    columns: [
      { title: "Build", cell: ({ build }) => seconds(build.seconds) },
      { title: "Memory of the build", cell: ({ build }) => bytes(build.peakMemoryBytes) },
      { title: "Tokens in, out", cell: ({ tokens }) => `${count(tokens.input)}, ${count(tokens.output)}` },
      { title: "One pass over the test", cell: (one) => cost(one.cost.perPass, one.cost.unit) },
      { title: "Update", cell: ({ update }) => seconds(update.seconds) },
      { title: "How", cell: ({ update }) => update.how, text: true },
    ],
  });
}

const value = (parameter: unknown): string => {
  if (typeof parameter === "number") return plain(parameter);
  return typeof parameter === "string" ? parameter : (JSON.stringify(parameter) ?? notMeasured);
};

/** Steps with their parameters, other metrics, artefacts and notes of every candidate. */
export function madeSection(report: Report): Markup {
  const candidates = ranked(report);
  return candidates.length === 0
    ? nothing
    : html`<section aria-labelledby="made">
        <h2 id="made">How each was made</h2>
        <p class="measure quiet">Steps and settings, further metrics, files and notes.</p>
        <div class="made measure-none">${candidates.map((one) => made(report, one))}</div>
      </section>`;
}

function made(report: Report, one: ReportCandidate): Markup {
  const pairs: readonly (readonly [string, readonly string[]])[] = [
    ...one.parameters.map(({ step, seconds: spent, parameters, note }): [string, string[]] => [
      `${step}, ${seconds(spent)}`,
      [
        Object.entries(parameters)
          .map(([name, parameter]) => `${name} ${value(parameter)}`)
          .join(", "),
        ...(note === undefined ? [] : [note]),
      ],
    ]),
    ["Made of", one.parents.map((id) => nameById(report, id))],
    ["Model", one.model === null ? ["none"] : [`${one.model}${one.local ? "" : ", behind an API"}`]],
    [
      "Further metrics",
      Object.entries(one.metrics).map(([name, measured]) => `${name} ${measured === null ? "not measured" : score(measured)}`),
    ],
    ["Retrieval", one.retrieval === undefined ? [] : [`recall ${score(one.retrieval.recall)}, nDCG ${score(one.retrieval.ndcg)}`]],
    [
      "Consistency",
      one.consistency === undefined ? [] : [`same answer: ${share(one.consistency)}, over ${report.wordings ?? "other wordings"}`],
    ],
    ["Other seeds", one.repeats === undefined ? [] : [one.repeats.map((again) => `${score(again.score)} (seed ${again.seed})`).join(", ")]],
    ["Errors", Object.entries(one.errorsByKind).map(([kind, times]) => `${times} ${kind}`)],
    ["Files", one.artefacts.map(({ path, bytes: size, sha256 }) => `${path}, ${bytes(size)}, SHA-256 ${sha256.slice(0, 12)}`)],
    ["Notes", one.notes],
  ];
  const shown = pairs.filter(([, lines]) => lines.some((line) => line !== ""));
  return html`<details>
    <summary>${nameOf(report, one)}</summary>
    <dl>
      ${shown.map(
        ([term, lines]) =>
          html`<dt>${term}</dt>
            <dd>${lines.map((line) => html`<div>${line}</div>`)}</dd>`,
      )}
    </dl>
  </details>`;
}

/** Candidates set aside by a constraint, and techniques that did not run. */
export function missingSection(report: Report): Markup {
  const {
    notRun,
    recommendation: { rejected },
  } = report;
  if (notRun.length === 0 && rejected.length === 0) return nothing;
  const list = (items: readonly (readonly [string, string])[]): Markup =>
    html`<ul class="plain">
      ${items.map(([name, text]) => html`<li><b>${name}</b><br /><span class="quiet">${text}</span></li>`)}
    </ul>`;
  const aside = rejected.map((one) => [nameById(report, one.id), rejection(one)] as const);
  return html`<section aria-labelledby="missing">
    <h2 id="missing">${rejected.length === 0 ? "What was not run" : "Set aside, and not run"}</h2>
    ${
      aside.length === 0
        ? nothing
        : html`<p class="measure quiet">Measured, but outside the task's constraints:</p>
            ${list(aside)}`
    }${
      notRun.length === 0
        ? nothing
        : html`${aside.length === 0 ? nothing : html`<p class="measure quiet">Not run:</p>`}${list(notRun.map(({ strategy, reason }) => [strategy, reason] as const))}`
    }
  </section>`;
}

export function methodSection(report: Report): Markup {
  return html`<section aria-labelledby="method">
    <h2 id="method">How the recommendation is reached</h2>
    <ol class="steps">
      ${method(report).map((step) => html`<li>${step}</li>`)}
    </ol>
  </section>`;
}

export function runSection(report: Report): Markup {
  const pairs = [...taskPairs(report), ...machinePairs(report)].filter(([, lines]) => lines.length > 0);
  const shown = pairs.map(
    ([term, lines]) =>
      html`<dt>${term}</dt>
        <dd>${lines.map((line) => html`<div>${line}</div>`)}</dd>`,
  );
  return html`<section aria-labelledby="run">
    <h2 id="run">The run</h2>
    <dl class="pairs">${shown}</dl>
  </section>`;
}

type Pairs = readonly (readonly [term: string, lines: readonly string[]])[];

function taskPairs({ task, split, testUses, constraints, notices }: Report): Pairs {
  const limits = Object.entries(constraints).map(([name, limit]) => constraintText(name, limit));
  const parts = `${count(split.train)} train, ${count(split.validation)} validation, ${count(split.test)} test`;
  return [
    ["Task", [task.instruction]],
    ["Output", [task.output]],
    ["Examples", [`${count(task.examples)}: ${parts}, ${counted(split.groups, "group")}`, `split ${split.hash.slice(0, 12)}`]],
    ["Looks at the test set", [`${counted(testUses, "run")}, this one included`]],
    ["Documents", [count(task.documents)]],
    ["Models", task.models],
    ["Constraints", limits.length === 0 ? ["none"] : limits],
    ["Notices", notices],
  ];
}

function machinePairs({ machine, versions, seed, runId }: Report): Pairs {
  const speeds = Object.entries(machine.speeds).map(([name, speed]) => `${name}: ${plain(speed)}`);
  const named = Object.entries(versions).map((pair) => pair.join(" "));
  return [
    ["Machine", [`${machine.platform}, ${counted(machine.threads, "thread")}, ${bytes(machine.memoryBytes)}`, ...speeds]],
    ["Versions", [named.join(", ")]],
    ["Seed", [String(seed)]],
    ["Run", [runId]],
  ];
}

const glossary: readonly (readonly [term: string, meaning: string])[] = [
  ["Candidate", "A complete system that can answer, with the record of how it was made."],
  [
    "Chain",
    "Techniques one after the other, each starting from what the one before made: rag-bm25 > lora is retrieval, then fine-tuning on what retrieval gives.",
  ],
  ["Test examples", "Examples that no technique saw while it was being built or chosen. Each look at them is counted."],
  ["95 % interval", "Where the score would lie for other test examples of the same kind. It does not cover other training seeds."],
  ["Corrected score", "The winner's score less what being picked as the best of many flatters it by."],
  ["Tolerance", "How much of the score may be given up for a cheaper candidate."],
  ["Expected regret", "How far a candidate is expected to be below the best one, over resampled test examples."],
  ["p50, p95", "Half and 95 % of the answers took at most this long."],
  ["Labels", "Labelled examples that a candidate learnt from."],
  ["Forgetting", "What changed weights cost the model elsewhere, on general text and general questions."],
];

export function glossarySection(): Markup {
  return html`<section aria-labelledby="glossary">
    <h2 id="glossary">Words</h2>
    <dl class="pairs">
      ${glossary.map(
        ([term, meaning]) =>
          html`<dt>${term}</dt>
            <dd>${meaning}</dd>`,
      )}
    </dl>
  </section>`;
}
