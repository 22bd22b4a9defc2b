import { expect, test } from "vitest";
import { htmlToMarkdown } from "./html.ts";

const chrome = (body: string, title = "Late returns - Handbook"): string => `<!doctype html>
<html lang="en"><head><title>${title}</title><style>p { color: red }</style><script>track("page")</script></head><body>
<header class="site"><a href="/">Pellwick</a></header>
<nav aria-label="Main"><ul><li><a href="a.html">Bikes</a></li><li><a href="b.html">Plans</a></li></ul></nav>
${body}
<footer><p>© Pellwick. Privacy</p></footer></body></html>`;

test("navigation, header and footer go; headings, lists, tables, code and asides stay", () => {
  const page = htmlToMarkdown(
    chrome(`<main><h1>Late <em>returns</em></h1>
      <p>A bike is late <strong>one minute </strong>after closing.<br>See <a href="plans.html">Plans</a> or <a href="https://pellwick.example/x">the site</a>.</p>
      <h2>Charges</h2>
      <table><caption>Per bike</caption><thead><tr><th>Late by</th><th>Charge</th></tr></thead>
        <tbody><tr><td>up to 1&nbsp;h</td><td>£4</td></tr><tr><td>more</td><td>£11 | day</td></tr></tbody></table>
      <ul><li>One<ul><li>nested</li><li>again</li></ul></li><li><p>Two</p><p>paragraphs</p></li></ul>
      <ol start="3"><li>three</li><li>four</li></ol>
      <pre><code class="language-sh">echo "hi"

  exit 1
</code></pre>
      <aside class="note"><p>Ring extension&shy; 14.</p></aside>
      <details><summary>More</summary><div>On Sundays.</div></details>
      <dl><dt>Grace</dt><dd>Ten minutes</dd><dt>Key</dt><dt>Fob</dt><dd>Lent</dd></dl>
      <blockquote><p>First</p><p>Second</p></blockquote><hr>
      <p><img src="x.png" alt="A bike"><img src="y.png"></p></main>`),
  );
  expect(page.title).toBe("Late returns");
  expect(page.text).toMatchInlineSnapshot(`
    "# Late *returns*

    A bike is late **one minute** after closing.
    See Plans or [the site](https://pellwick.example/x).

    ## Charges

    Per bike

    | Late by | Charge |
    | --- | --- |
    | up to 1 h | £4 |
    | more | £11 \\| day |

    - One
      - nested
      - again
    - Two

      paragraphs

    3. three
    4. four

    \`\`\`sh
    echo "hi"

      exit 1
    \`\`\`

    Ring extension 14.

    More

    On Sundays.

    **Grace**: Ten minutes

    **Key**, **Fob**: Lent

    > First
    >
    > Second

    ---

    ![A bike]"
  `);
});

test.each<[string, string, string]>([
  ["a page without body tags", "<title>T</title><p>One<p>Two", "One\n\nTwo"],
  ["a piece of a page", "<p>One</p><p>Two</p>", "One\n\nTwo"],
  ["text alone", "just text, 1 &lt; 2 &amp; 3", "just text, 1 < 2 & 3"],
  [
    "nothing marked as content",
    "<body><div id='menu'>Home</div><div><h1>A</h1><p>Text</p></div><div class='footer'>End</div></body>",
    "# A\n\nText",
  ],
  [
    "the heading in the header",
    "<body><header><h1>Title</h1><p>Menu</p></header><main><p>Text here</p></main></body>",
    "# Title\n\nText here",
  ],
  [
    "an article's own header and footer",
    "<body><article><header><h1>A</h1><p>by B</p></header><p>x</p><footer>Note</footer></article></body>",
    "# A\n\nby B\n\nx\n\nNote",
  ],
  [
    "a main element that holds next to nothing",
    "<body><main><p>x</p></main><div><p>All of the text stands here instead.</p></div></body>",
    "x\n\nAll of the text stands here instead.",
  ],
  ["several articles", "<body><article><p>One a b</p></article><article><p>Two c d</p></article></body>", "One a b\n\nTwo c d"],
  ["a page that is all navigation", "<body><nav><a href='x'>Only a menu</a></nav></body>", "Only a menu"],
  ["hidden text", "<body><p style='display: none'>no</p><p hidden>no</p><p>yes</p></body>", "yes"],
  ["characters that mean something in Markdown", "<p>snake_case 1. *x* [y] #z</p>", "snake_case 1. *x* [y] #z"],
  ["a link around blocks", "<a href='https://x.example'><h2>Head</h2><p>Text</p></a>", "## Head\n\nText"],
  [
    "spans across rows and columns",
    "<table><tr><th rowspan=2>A</th><th colspan=2>B</th></tr><tr><th>b1</th><th>b2</th></tr><tr><td>1</td><td>2</td></tr></table>",
    "| A | B | B |\n| --- | --- | --- |\n| A | b1 | b2 |\n| 1 | 2 |  |",
  ],
  ["a table that only places things", "<table><tr><td><p>One</p><ul><li>Two</li></ul></td></tr></table>", "One\n\n- Two"],
  ["code with fences in it", "<pre>```\nx\n```</pre>", "````\n```\nx\n```\n````"],
  ["a list in a list without an item", "<ul><li>a</li><ul><li>b</li></ul></ul>", "- a\n  - b"],
  ["an empty page", "<body><script>x</script></body>", ""],
])("%s", (_name, html, text) => {
  expect(htmlToMarkdown(html).text).toBe(text);
});

test("no word of the content is lost, however deep it stands", () => {
  const deep = `${"<div><span>".repeat(60)}buried${"</span></div>".repeat(60)}`;
  expect(htmlToMarkdown(chrome(`<main><p>before</p>${deep}<p>after</p></main>`)).text).toBe("before\n\nburied\n\nafter");
});

test("the title falls back to the title element, and to none", () => {
  expect(htmlToMarkdown(chrome("<p>x</p>", "  From\n the head ")).title).toBe("From the head");
  expect(htmlToMarkdown("<p>x</p>")).toEqual({ text: "x" });
});
