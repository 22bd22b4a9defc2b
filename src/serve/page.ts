// The page at /: a box to ask a question in, the answer and its sources. One file, nothing loaded from elsewhere.
import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Served } from "../index.ts";
import { ordered } from "./candidates.ts";
import { pageScript, pageStyle } from "./page-assets.ts";

export interface AskPage {
  readonly html: string;
  /** Content-Security-Policy: its own script and style, its own server, nothing else. */
  readonly policy: string;
}

export function askPage({ served, version }: { readonly served: Served; readonly version: string }): AskPage {
  const { task, report } = served;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${task.name} - Sartor</title>
        <link rel="icon" href="data:," />
        <style>
          ${raw(pageStyle)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <h1>${task.name}</h1>
            <p>${task.instruction}</p>
          </header>
          ${form(served)} ${result}
          <footer class="quiet">Sartor ${version}, run ${report.runId}. Programs ask at <code>/v1/chat/completions</code>.</footer>
        </main>
        <script>
          ${raw(pageScript)};
        </script>
      </body>
    </html> `;
  // Nothing in it has to be waited for.
  return { html: page as HtmlEscapedString, policy };
}

function form(served: Served): ReturnType<typeof html> {
  const options = ordered(served).map(
    (id) => html`<option value="${id}">${id}${id === served.recommended ? " (recommended)" : ""}</option>`,
  );
  return html`<form id="ask">
    <label for="question">Input</label>
    <textarea id="question" name="question" rows="3" required autofocus></textarea>
    <div class="row">
      <label for="candidate">Answered by</label>
      <select id="candidate" name="candidate">
        ${options}
      </select>
      <button type="submit">Ask</button>
    </div>
  </form>`;
}

const result = html`<section aria-labelledby="answer-title" id="result" hidden>
  <h2 id="answer-title">Answer</h2>
  <p id="answer" role="status" aria-live="polite"></p>
  <p id="about" class="quiet"></p>
  <div id="sources" hidden>
    <h2>Sources</h2>
    <ol id="passages"></ol>
  </div>
</section>`;

const hash = (text: string): string => `sha256-${createHash("sha256").update(text).digest("base64")}`;

const policy = [
  "default-src 'none'",
  `script-src '${hash(pageScript)}'`,
  `style-src '${hash(pageStyle)}'`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
