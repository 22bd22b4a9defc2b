// Every example's answers side by side: the data as JSON inside the page, drawn on demand by its script. Texts that recur are kept once.
import { dayNamed, type Evaluation, type Passage, pagesNamed, type Row } from "../evaluation.ts";
import { count } from "../util/figures.ts";
import { html, type Markup, scriptJson } from "./markup.ts";
import type { Report } from "./schema.ts";
import { nameOf, ranked, statusWords } from "./view.ts";

/** One answer, as the page's script reads it; short keys, as there may be thousands. */
interface AnswerData {
  /** Output, value of the deciding metric, why, seconds, tokens in and out. */
  readonly o: string;
  readonly v: number | null;
  readonly w: string;
  readonly s: number;
  readonly t: readonly [input: number, output: number];
  readonly c?: number;
  /** Kind and message of the error. */
  readonly e?: readonly [kind: string, message: string];
  /** Indexes into `passages`, and of the prompt's lines into `lines`. */
  readonly p?: readonly number[];
  readonly q: readonly number[];
}

export interface AnswersData {
  readonly metric: string;
  readonly higherIsBetter: boolean;
  readonly candidates: readonly { readonly name: string; readonly status: string; readonly word: string; readonly shown: boolean }[];
  readonly examples: readonly {
    readonly id: string;
    readonly input: string;
    readonly expected: string;
    readonly a: readonly (AnswerData | null)[];
  }[];
  readonly passages: readonly (readonly [document: string, title: string, start: number, end: number, text: string, place?: string])[];
  readonly lines: readonly string[];
}

/** How many candidates are shown side by side before the reader chooses. */
const shownAtFirst = 6;

export interface AnswersInput {
  readonly report: Report;
  readonly evaluations: readonly Evaluation[];
}

/** The test rows of every candidate that the report holds, in the order of its table. */
export function answersData({ report, evaluations }: AnswersInput): AnswersData {
  const test = new Map(evaluations.flatMap((one) => (one.set === "test" ? [[one.candidate, one.rows] as const] : [])));
  const candidates = ranked(report).filter(({ id }) => test.has(id));
  const rowsOf = candidates.map(({ id }) => new Map(test.get(id)?.map((row) => [row.id, row])));
  const examples = new Map(rowsOf.flatMap((rows) => [...rows]));
  const passages = pool<Passage>(({ document, start, end, text }) => JSON.stringify([document, start, end, text]));
  const lines = pool<string>((line) => line);
  const answer = (row: Row | undefined): AnswerData | null =>
    row === undefined ? null : answerOf(row, { metric: report.metric.name, passages: passages.index, lines: lines.index });
  return {
    metric: report.metric.name,
    higherIsBetter: report.metric.higherIsBetter,
    candidates: candidates.map((one, index) => ({
      name: nameOf(report, one),
      status: one.status,
      word: statusWords[one.status],
      shown: index < shownAtFirst || one.status === "winner",
    })),
    examples: [...examples.values()]
      .toSorted((a, b) => a.id.localeCompare(b.id, "en", { numeric: true }))
      .map(({ id, input, expected }) => ({ id, input, expected, a: rowsOf.map((rows) => answer(rows.get(id))) })),
    passages: passages.items.map((passage) => {
      const { document, title, start, end, text } = passage;
      const place = [pagesNamed(passage), dayNamed(passage)].filter((part) => part !== "").join(", ");
      return place === "" ? [document, title, start, end, text] : [document, title, start, end, text, place];
    }),
    lines: lines.items,
  };
}

function answerOf(
  row: Row,
  {
    metric,
    passages,
    lines,
  }: { readonly metric: string; readonly passages: (passage: Passage) => number; readonly lines: (line: string) => number },
): AnswerData {
  const value = row.scores[metric]?.value;
  return {
    o: row.output,
    v: value === undefined || !Number.isFinite(value) ? null : value,
    w: row.reason,
    s: row.seconds,
    t: [row.tokens.input, row.tokens.output],
    ...(row.confidence === undefined ? {} : { c: row.confidence }),
    ...(row.error === undefined ? {} : { e: [row.error.kind, row.error.message] as const }),
    ...(row.passages.length === 0 ? {} : { p: row.passages.map(passages) }),
    q: row.prompt === "" ? [] : row.prompt.split("\n").map(lines),
  };
}

/** Keeps each item once and gives its index. */
function pool<T>(keyOf: (item: T) => string): { readonly items: readonly T[]; readonly index: (item: T) => number } {
  const [items, indexes] = [[] as T[], new Map<string, number>()];
  const index = (item: T): number => {
    const key = keyOf(item);
    const known = indexes.get(key);
    if (known !== undefined) return known;
    indexes.set(key, items.length);
    return items.push(item) - 1;
  };
  return { items, index };
}

const filters: readonly (readonly [value: string, label: string])[] = [
  ["all", "All examples"],
  ["winner", "The recommended one is wrong"],
  ["wrong", "Any shown candidate is wrong"],
  ["differ", "The shown candidates disagree"],
  ["errors", "Any shown candidate failed"],
];

/** The section with its tools, empty until the script draws it; a sentence where no rows were kept. */
export function answersSection(data: AnswersData): Markup {
  if (data.examples.length === 0)
    return html`<section aria-labelledby="answers-heading">
      <h2 id="answers-heading">Answers side by side</h2>
      <p class="quiet">No answers were kept with this report.</p>
    </section>`;
  const offered = data.candidates.some(({ status }) => status === "winner") ? filters : filters.filter(([value]) => value !== "winner");
  return html`<section aria-labelledby="answers-heading">
    <h2 id="answers-heading">Answers side by side</h2>
    <p class="measure quiet">
      All ${count(data.examples.length)} test examples. An answer counts as wrong when its ${data.metric} is
      ${data.higherIsBetter ? "below" : "above"} 0.5.
    </p>
    <noscript
      ><p>The answers are drawn by a script, which does not run here. They also stand row by row among the files of the run.</p></noscript
    >
    <form class="tools" role="search" aria-label="Examples">
      <label class="grow">Search in inputs, answers and expected answers<input type="search" id="search" autocomplete="off" /></label>
      <label
        >Show<select id="filter">
          ${offered.map(([value, label]) => html`<option value="${value}">${label}</option>`)}
        </select></label
      >
    </form>
    <details class="choose">
      <summary>Candidates shown</summary>
      <fieldset>
        <legend class="hidden">Candidates shown</legend>
        ${data.candidates.map((one, index) => html`<label><input type="checkbox" name="candidate" value="${index}" ${one.shown ? html` checked` : html``} /><span>${one.name}${one.status === "winner" ? html` <span class="quiet small">${one.word}</span>` : html``}</span></label>`)}
      </fieldset>
    </details>
    <p id="count" class="quiet small" role="status"></p>
    <div id="answers"></div>
    <button type="button" class="plain" id="more" hidden>Show more</button>
    <script type="application/json" id="answers-data">
      ${scriptJson(data)}
    </script>
  </section>`;
}
