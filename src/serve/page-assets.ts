// Style and script of the page at /, as text: they run in a browser.

export const pageStyle = `
:root { --ink: #1b1d22; --quiet: #5a606b; --paper: #fbfaf7; --card: #fff; --line: #d9d5cb; --accent: #7a2e1d; --on-accent: #fff; --error: #a3121f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eceae4; --quiet: #a6a9b0; --paper: #17181b; --card: #202226; --line: #3a3d43; --accent: #f0a183; --on-accent: #1b1d22; --error: #ff9aa2; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
header p { margin: 0 0 1.5rem; color: var(--quiet); }
label { font-weight: 600; }
textarea, select, button { font: inherit; color: inherit; border: 1px solid var(--line); border-radius: .4rem; background: var(--card); padding: .5rem .7rem; max-width: 100%; }
textarea { display: block; width: 100%; margin-top: .3rem; resize: vertical; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.row { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin-top: .7rem; }
.row select { flex: 1 1 12rem; min-width: 0; }
button { background: var(--accent); color: var(--on-accent); border-color: var(--accent); font-weight: 600; cursor: pointer; }
button[aria-disabled="true"] { opacity: .6; cursor: progress; }
#answer { font-size: 1.15rem; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .8rem 1rem; margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; min-height: 3.4rem; }
#answer.error { color: var(--error); }
.quiet { color: var(--quiet); font-size: .9rem; }
ol { padding-left: 1.4rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
blockquote { margin: .4rem 0 .8rem; padding-left: .8rem; border-left: 3px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .8rem; }
`;

export const pageScript = `
const at = (id) => document.getElementById(id);
const form = at("ask"), question = at("question"), button = form.querySelector("button"), answer = at("answer");
let asking = false;

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\\n\\n");
    rest = parts.pop();
    for (const part of parts) if (part.startsWith("data: {")) yield JSON.parse(part.slice(6));
  }
}

function show(sources) {
  at("sources").hidden = sources.length === 0;
  at("passages").replaceChildren(...sources.map(({ document: name, title, start, end, text, pages = [], modified = "" }) => {
    const item = document.createElement("li"), details = document.createElement("details");
    const summary = document.createElement("summary"), quote = document.createElement("blockquote");
    summary.textContent = (title || name) + " (" + name + (pages.length === 0 ? "" : ", page " + pages.join(", ")) + ", characters " + start + " to " + end + (modified === "" ? "" : ", " + modified.slice(0, 10)) + ")";
    quote.textContent = text;
    details.append(summary, quote);
    item.append(details);
    return item;
  }));
}

async function ask() {
  const started = performance.now();
  const body = { model: at("candidate").value, stream: true, messages: [{ role: "user", content: question.value }] };
  const response = await fetch("/v1/chat/completions", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (!response.ok) throw new Error((await response.json()).error.message);
  let text = "";
  for await (const { error, choices, model } of events(response.body)) {
    if (error) throw new Error(error.message);
    const delta = choices[0].delta;
    text += delta.content ?? "";
    answer.textContent = text;
    if (!delta.sources) continue;
    show(delta.sources);
    const sure = delta.confidence === undefined ? "" : ", confidence " + delta.confidence.toFixed(2);
    at("about").textContent = model + sure + ", " + ((performance.now() - started) / 1000).toFixed(2) + " s";
  }
  if (text === "") answer.textContent = "(an empty answer)";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (asking) return;
  asking = true;
  button.setAttribute("aria-disabled", "true");
  at("result").hidden = false;
  answer.classList.remove("error");
  answer.textContent = "...";
  at("about").textContent = "";
  show([]);
  try {
    await ask();
  } catch (error) {
    answer.classList.add("error");
    answer.textContent = error.message;
  }
  asking = false;
  button.removeAttribute("aria-disabled");
});
question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
`;
