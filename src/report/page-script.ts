// What runs in the page: sorting of tables, and the answers, drawn from their data as text and never as markup.

export const pageScript = `
"use strict";
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
};

const cellValue = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
};
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
    const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", other === head ? order : "none");
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows].sort((a, b) => sign * (cellValue(a, column) - cellValue(b, column)));
    table.tBodies[0].append(...rows);
  }));
}

const source = document.getElementById("answers-data");
if (source !== null) {
  const data = JSON.parse(source.textContent);
  const at = (id) => document.getElementById(id);
  const list = at("answers"), more = at("more"), count = at("count"), search = at("search"), filter = at("filter");
  const boxes = [...document.querySelectorAll("input[name=candidate]")];
  const winner = data.candidates.findIndex((one) => one.status === "winner");
  const fold = (text) => text.toLowerCase().normalize("NFKC");
  const texts = data.examples.map((one) => fold([one.id, one.input, one.expected, ...one.a.map((answer) => answer === null ? "" : answer.o)].join("\\n")));
  const wrong = (answer) => answer !== null && answer.v !== null && (data.higherIsBetter ? answer.v < 0.5 : answer.v > 0.5);
  const failed = (answer) => answer !== null && answer.e !== undefined;
  const plain = (text) => fold(text).replace(/[^\\p{L}\\p{N}]+/gu, " ").trim();
  const tests = {
    all: () => true,
    winner: (answers, one) => winner >= 0 && wrong(one.a[winner]),
    wrong: (answers) => answers.some(wrong),
    differ: (answers) => new Set(answers.filter((answer) => answer !== null).map((answer) => plain(answer.o))).size > 1,
    errors: (answers) => answers.some(failed),
  };
  const time = (value) => value < 1 ? Math.max(value * 1000, 0).toFixed(value < 0.01 ? 1 : 0) + " ms" : value.toFixed(1) + " s";

  const passage = (index) => {
    const [document, title, start, end, text, place] = data.passages[index];
    const name = title === "" || title === document ? document : title + ", " + document;
    return make("div", {}, make("div", { className: "quiet", textContent: name + (place === undefined ? "" : ", " + place) + ", characters " + start + " to " + end }), make("blockquote", { textContent: text }));
  };
  const background = (answer) => {
    const passages = answer.p ?? [];
    const parts = [passages.length === 1 ? "1 passage" : passages.length > 1 ? passages.length + " passages" : null, answer.q.length > 0 ? "prompt" : null, "figures"].filter((part) => part !== null);
    const details = make("details", {}, make("summary", { textContent: parts.join(", ") }));
    details.addEventListener("toggle", () => {
      if (details.childElementCount > 1) return;
      const figures = [answer.w, time(answer.s), answer.t[0] + " tokens read, " + answer.t[1] + " written", answer.c === undefined ? "" : "confidence " + answer.c.toFixed(2)];
      details.append(make("p", { textContent: figures.filter((text) => text !== "").join("; ") }), ...passages.map(passage));
      if (answer.q.length > 0) details.append(make("pre", { textContent: answer.q.map((line) => data.lines[line]).join("\\n"), tabIndex: 0, ariaLabel: "Prompt", role: "group" }));
    });
    return details;
  };
  const answerItem = (answer, candidate) => {
    const name = make("span", { className: candidate.status === "winner" ? "winner" : "", textContent: candidate.name });
    if (answer === null) return make("li", {}, name, make("span"), make("span", { className: "quiet body", textContent: "no answer kept" }));
    const value = make("span", { className: "value " + (wrong(answer) ? "wrong" : answer.v === 1 ? "right" : ""), textContent: answer.v === null ? "\\u2013" : answer.v.toFixed(2) });
    value.prepend(make("span", { className: "hidden", textContent: data.metric + " " }));
    const error = answer.e === undefined ? null : make("div", { className: "fault", textContent: answer.e[0] + ": " + answer.e[1] });
    const given = make("div", { className: "given" + (wrong(answer) ? " wrong" : ""), textContent: answer.o });
    return make("li", {}, name, value, make("div", { className: "body" }, error, given), background(answer));
  };
  const article = (one, shown) => {
    const heading = make("h3", { textContent: one.input });
    const expected = make("p", { className: "expected" }, make("span", { className: "quiet", textContent: "Expected: " }), one.expected);
    const answers = make("ul", { className: "answers" }, ...shown.map((index) => answerItem(one.a[index], data.candidates[index])));
    return make("article", { className: "example" }, make("p", { className: "id", textContent: one.id }), heading, expected, answers);
  };

  let found = [], shown = [], drawn = 0;
  const draw = (number) => {
    list.append(...found.slice(drawn, drawn + number).map((one) => article(one, shown)));
    drawn = Math.min(found.length, drawn + number);
    more.hidden = drawn >= found.length;
    more.textContent = "Show " + Math.min(20, found.length - drawn) + " more of " + (found.length - drawn);
  };
  const refresh = () => {
    shown = boxes.filter((box) => box.checked).map((box) => Number(box.value));
    const wanted = fold(search.value.trim());
    found = data.examples.filter((one, index) => texts[index].includes(wanted) && tests[filter.value](shown.map((candidate) => one.a[candidate]), one));
    count.textContent = found.length + " of " + data.examples.length + " examples, " + shown.length + " of " + data.candidates.length + " candidates";
    list.replaceChildren();
    drawn = 0;
    draw(5);
  };
  let waiting;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(refresh, 120); });
  search.form.addEventListener("submit", (event) => event.preventDefault());
  filter.addEventListener("change", refresh);
  for (const box of boxes) box.addEventListener("change", refresh);
  more.addEventListener("click", () => { const before = list.childElementCount; draw(20); const next = list.children[before]; if (next) { next.tabIndex = -1; next.focus({ preventScroll: true }); } });
  refresh();
}
`;
