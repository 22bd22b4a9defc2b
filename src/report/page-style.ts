// The style of the page. One accent colour; everything else is ink on paper, in light and dark.

import { lightColours } from "./vega-svg.ts";

const declarations = Object.entries(lightColours)
  .map(([name, value]) => `--${name}: ${value}`)
  .join("; ");

export const pageStyle = `
:root { color-scheme: light dark; ${declarations}; --card: #ffffff; --wash: #f6ece7; --on-accent: #ffffff;
  --serif: ui-serif, "Iowan Old Style", "Palatino Linotype", Palatino, Charter, Georgia, "DejaVu Serif", serif; --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceae4; --quiet: #a8abb2; --faint: #6b6e75; --paper: #17181b; --card: #1f2124; --line: #35383d; --accent: #f0a183; --wash: #2b2320; --on-accent: #17181b; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 var(--sans); font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.page { max-width: 70rem; margin: 0 auto; padding: 0 2rem; }
a { color: inherit; text-decoration-color: var(--faint); text-underline-offset: .2em; }
a:hover { color: var(--accent); text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 2px; }
.skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 2; }
h1, h2, h3, p, dl, dd, ul, ol, figure { margin: 0; }
h1 { font: 400 clamp(2rem, 1.3rem + 2.9vw, 3.4rem)/1.16 var(--serif); letter-spacing: -.012em; text-wrap: balance; max-width: 24em; }
h1 .chain { color: var(--accent); }
h2 { font: 400 1.75rem/1.25 var(--serif); letter-spacing: -.005em; }
h3 { font: 600 1rem/1.4 var(--sans); }
.quiet { color: var(--quiet); } .small { font-size: .875rem; line-height: 1.5; } .nowrap { white-space: nowrap; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.measure { max-width: 44rem; }
code, pre { font-family: var(--mono); font-size: .875em; }
header.page { padding-top: 1.5rem; }
.masthead { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; justify-content: space-between; padding-bottom: 1rem; border-bottom: 1px solid var(--line); font-size: .875rem; }
.masthead b { font: 600 1rem/1.4 var(--serif); letter-spacing: .02em; }
.verdict { margin: 4rem 0 1rem; color: var(--accent); font-weight: 600; font-size: .875rem; letter-spacing: .02em; }
.lede { margin-top: 1.5rem; font-size: 1.125rem; max-width: 44rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1.5rem 2rem; margin: 3rem 0 0; padding: 1.5rem 0; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.figures dt { color: var(--quiet); font-size: .875rem; } .figures dd { font: 400 1.75rem/1.3 var(--serif); font-variant-numeric: lining-nums tabular-nums; } .figures dd.note { font: 400 .8125rem/1.45 var(--sans); color: var(--quiet); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; list-style: none; padding: 1rem 0; font-size: .875rem; } nav a { text-decoration: none; color: var(--quiet); display: inline-block; padding: .15rem 0; }
section { padding: 3.5rem 0 0; } section > p { margin-top: .75rem; } section > .scroll, section > figure, section > .grid, section > ul, section > ol, section > dl, section > details { margin-top: 1.5rem; }
footer.page { margin-top: 5rem; padding-top: 1rem; padding-bottom: 3rem; color: var(--quiet); font-size: .875rem; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; line-height: 1.4; }
caption { text-align: left; color: var(--quiet); font-size: .875rem; padding-bottom: .75rem; max-width: 44rem; }
th { font-weight: 600; } 
th, td { overflow-wrap: break-word; padding: .6rem .75rem; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); } th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
th.text, td.text { text-align: left; } tbody th { font-weight: 400; } td { white-space: nowrap; } td.text { white-space: normal; min-width: 12rem; } thead th, thead td { color: var(--quiet); font-weight: 400; font-size: .8125rem; vertical-align: bottom; border-bottom: 1px solid var(--faint); }
tr.winner { background: var(--wash); } tr.winner > :first-child { box-shadow: inset 3px 0 var(--accent); padding-left: .75rem; } tr.winner > :last-child { padding-right: .5rem; } tr.winner th, tr.winner td.lead { font-weight: 600; } tr.beaten, tr.ineligible { color: var(--quiet); }
.state { display: block; font-size: .8125rem; color: var(--quiet); font-weight: 400; } tr.winner .state { color: var(--accent); }
.scroll { overflow-x: auto; } .name { min-width: 13rem; max-width: 22rem; } tbody .numbered { padding-left: 2rem; text-indent: -2rem; } .numbered .no { display: inline-block; width: 2rem; text-indent: 0; color: var(--quiet); font-weight: 400; font-size: .8125rem; } .state { text-indent: 0; overflow-wrap: normal; } tr.winner > .numbered:first-child { padding-left: 2.75rem; }
th button { all: unset; position: relative; cursor: pointer; font: inherit; color: inherit; } th button:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; } th button:hover { color: var(--accent); } th button::after { content: "\\2195"; position: absolute; right: 100%; margin-right: .2em; color: var(--quiet); opacity: 0; } th.text button::after { right: auto; left: 100%; margin: 0 0 0 .2em; } th button:hover::after, th button:focus-visible::after { opacity: 1; } @media (hover: none) { th button::after { opacity: 1; } } th[aria-sort=ascending] button::after { content: "\\2191"; color: var(--accent); opacity: 1; } th[aria-sort=descending] button::after { content: "\\2193"; color: var(--accent); opacity: 1; }
.strip { display: block; width: 100%; height: 1.4em; overflow: visible; } td.plot, th.plot { width: 18%; min-width: 9rem; } .strip line { stroke: currentColor; stroke-width: 1.25; } .strip circle { fill: currentColor; } .strip line.zero { stroke: var(--faint); stroke-width: 1; } .strip line.edge { stroke: var(--faint); stroke-dasharray: 2 3; stroke-width: 1; } .strip text { fill: currentColor; font-size: .75rem; text-anchor: middle; } tr.winner .strip { color: var(--accent); }
.forest td.plot { position: relative; width: 45%; } .forest .strip { position: absolute; inset: 0; height: 100%; } .forest thead .strip { color: var(--quiet); } .band { display: inline-block; min-width: 10.5rem; color: var(--quiet); }
.chart svg { display: block; max-width: 100%; height: auto; font-family: var(--sans); } .chart svg text { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; } .chart .narrow { display: none; } figcaption { margin-top: .75rem; color: var(--quiet); font-size: .875rem; max-width: 44rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 2rem; align-items: end; } .grid figcaption { margin-top: .25rem; font-size: .8125rem; }
details > summary { cursor: pointer; } details > summary:hover { color: var(--accent); }
.made > details { border-bottom: 1px solid var(--line); padding: .6rem 0; } .made dl, dl.pairs { display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; gap: .4rem 1.5rem; margin-top: .75rem; } dl.pairs { margin-top: 1.5rem; } dl.pairs dt, .made dt { color: var(--quiet); }
ul.plain { list-style: none; padding: 0; } ul.plain > li { padding: .6rem 0; border-bottom: 1px solid var(--line); } ol.steps { padding-left: 1.4rem; max-width: 44rem; } ol.steps li { padding: .2rem 0 .2rem .3rem; }
.tools { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; align-items: end; margin-top: 1.5rem; } .tools label { display: grid; gap: .25rem; font-size: .875rem; color: var(--quiet); } .tools label.grow { flex: 1 1 16rem; }
input[type=search], select, button.plain { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--faint); border-radius: .3rem; padding: .5rem .75rem; width: 100%; min-height: 2.75rem; } button.plain { width: auto; cursor: pointer; } button.plain:hover { border-color: var(--accent); color: var(--accent); }
.choose { margin-top: 1rem; font-size: .9375rem; } .choose fieldset { border: 0; padding: .75rem 0 0; margin: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: .3rem 1.5rem; } .choose label { display: flex; gap: .6rem; align-items: baseline; } input[type=checkbox] { accent-color: var(--accent); }
#count { margin-top: 1rem; } .example { border-top: 1px solid var(--faint); margin-top: 1.5rem; padding-top: 1.25rem; } .example h3 { font: 400 1.1875rem/1.4 var(--serif); white-space: pre-wrap; max-width: 44rem; } .example .id { color: var(--quiet); font-size: .8125rem; } .expected { margin-top: .25rem; white-space: pre-wrap; max-width: 44rem; }
.answers { list-style: none; padding: 0; margin-top: .75rem; } .answers > li { display: grid; grid-template-columns: minmax(0, 15rem) 3.5rem minmax(0, 1fr) auto; gap: .1rem 1.25rem; padding: .5rem 0; align-items: baseline; border-top: 1px solid var(--line); } .answers .given { white-space: pre-wrap; } .answers .value { text-align: right; } .answers .wrong { color: var(--quiet); } .answers .right { font-weight: 600; } .answers details[open] { grid-column: 1 / -1; padding-top: .25rem; } .answers .winner { color: var(--accent); } .answers details { font-size: .875rem; color: var(--quiet); } .answers details[open] { color: var(--ink); } .fault { color: var(--accent); font-size: .875rem; }
blockquote { margin: .5rem 0 1rem; padding-left: 1rem; border-left: 2px solid var(--line); white-space: pre-wrap; } pre { white-space: pre-wrap; background: var(--card); border: 1px solid var(--line); border-radius: .3rem; padding: .75rem 1rem; max-height: 24rem; overflow: auto; margin: .5rem 0 1rem; }
#more { margin-top: 1.5rem; } [hidden] { display: none !important; }
@media (max-width: 44rem) {
  .page { padding: 0 1.25rem; } .verdict { margin-top: 2.25rem; } .lede { font-size: 1.0625rem; } h2 { font-size: 1.5rem; } section { padding-top: 2.75rem; }
  .figures { grid-template-columns: 1fr 1fr; gap: 1.25rem 1.5rem; margin-top: 2rem; } .figures dd { font-size: 1.4rem; }
  .chart .wide { display: none; } .chart .narrow { display: block; }
  .name { min-width: 8.5rem; max-width: 8.5rem; } tbody .numbered { padding-left: 1.5rem; text-indent: -1.5rem; min-width: 9.5rem; } .numbered .no { width: 1.5rem; } tr.winner > .numbered:first-child { padding-left: 2.25rem; } .pinned > thead > tr > th:first-child, .pinned > tbody > tr > th:first-child { position: sticky; left: 0; background: var(--paper); z-index: 1; } .pinned > tbody > tr.winner > th:first-child { background: var(--wash); }
  .forest .name { min-width: 6.5rem; max-width: 7.5rem; } .forest th, .forest td { padding-left: .4rem; padding-right: .4rem; } .forest td.plot { min-width: 6rem; width: 50%; } .forest .name { padding-left: 0; } .band { display: block; min-width: 0; font-size: .75rem; }
  .made dl, dl.pairs { grid-template-columns: 1fr; gap: 0; } .made dd, dl.pairs dd { margin-bottom: .75rem; }
  .answers > li { grid-template-columns: minmax(0, 1fr) auto; } .answers .body, .answers details { grid-column: 1 / -1; }
}
@media print {
  :root { --paper: #fff; --wash: #fff; } @page { margin: 1.5cm; } html { font-size: 9pt; } .page { max-width: none; padding: 0; } nav, .tools, .choose, #more, .skip, #answers { display: none; } .scroll { overflow: visible; } table { font-size: .85rem; } th, td { padding: .3rem .35rem; } .name, tbody .numbered { min-width: 8rem; max-width: 13rem; } td.plot, th.plot { min-width: 6rem; } td.text { min-width: 9rem; } .figures { grid-template-columns: repeat(5, 1fr); gap: 1rem; margin-top: 1.5rem; } section { padding-top: 1.5rem; } tr, figure, .figures { break-inside: avoid; } h2 { break-after: avoid; } .verdict { margin-top: 1.5rem; } .chart .wide { display: block; } .chart .narrow { display: none; } th button::after { content: none; }
}
`;
