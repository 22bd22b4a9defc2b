// The page in a real browser: accessible in light and dark, nothing fetched, nothing wider than a phone, its script at work.
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { htmlReport } from "../../src/report/html.ts";
import { reportFixture, type ReportFixtureOptions } from "../support/report-fixture.ts";

const executablePath = "/usr/bin/chromium";
const reason = existsSync(executablePath) ? "" : ` (skipped: no browser at ${executablePath})`;
const hostile = `</script><img src=x onerror="document.title='taken'">`;
const pages: { readonly [name: string]: ReportFixtureOptions } = {
  clear: {},
  provisional: { status: "provisional", examples: 40 },
  "provisional, two models, 40 candidates": {
    status: "provisional",
    candidates: 40,
    models: ["smollm2-135m-instruct", "qwen2.5-0.5b-instruct"],
    examples: 40,
  },
  "without a recommendation": { status: "none", candidates: 3, examples: 24, unit: "machine-seconds" },
  hostile: { hostile, examples: 30 },
};

interface Violations {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

describe.skipIf(reason !== "")(`the page in a browser${reason}`, () => {
  let browser: Browser;
  let folder: string;
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sartor-report-"));
    const quiet = [
      "--no-sandbox",
      "--headless",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ];
    browser = await chromium.launch({ executablePath, args: quiet });
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens a report; what it asked for beside itself and what it complained of are in the lists. */
  async function open(
    options: ReportFixtureOptions,
    { width = 1440, colorScheme = "light" }: { width?: number; colorScheme?: "light" | "dark" } = {},
  ): Promise<{ page: Page; requests: string[]; complaints: string[] }> {
    const path = join(folder, "report.html");
    await writeFile(path, await htmlReport(reportFixture(options)));
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const [requests, complaints]: [string[], string[]] = [[], []];
    page.on("request", (request) => requests.push(request.url()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => complaints.push(message.text()));
    await page.goto(pathToFileURL(path).href);
    return { page, requests, complaints };
  }

  test.each([
    { name: "clear", colorScheme: "light", width: 1440 },
    { name: "clear", colorScheme: "dark", width: 390 },
    { name: "provisional", colorScheme: "dark", width: 1440 },
    { name: "without a recommendation", colorScheme: "light", width: 390 },
  ] as const)(
    "$name, $colorScheme, $width pixels: no violation that axe knows",
    async ({ name, colorScheme, width }) => {
      const { page } = await open(pages[name]!, { width, colorScheme });
      for (const summary of (await page.locator("article details summary").all()).slice(0, 2)) await summary.click();
      await page.locator(".choose summary").click();
      const found = (await page.evaluate(`${axe};axe.run({ resultTypes: ["violations"], preload: false })`)) as Violations;
      expect(found.violations.map(({ id, nodes }) => [id, nodes.length, nodes[0]?.html.slice(0, 300), nodes[0]?.failureSummary])).toEqual(
        [],
      );
      await page.close();
    },
    180_000,
  );

  test.each(Object.entries(pages))("%s: asks for nothing, complains of nothing, is no wider than a phone", async (_name, options) => {
    const { page, requests, complaints } = await open(options, { width: 390 });
    expect(requests.filter((url) => !url.startsWith("data:"))).toEqual([page.url()]);
    expect(complaints).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    expect(await page.title()).not.toBe("taken");
    expect(await page.locator("img").count()).toBe(0);
    await page.close();
  });

  test("hostile text in the answers is shown as it is", async () => {
    const { page } = await open({ hostile, examples: 30 });
    expect(await page.locator("article h3").first().textContent()).toContain(hostile);
    await page.locator("article details summary").first().click();
    expect(await page.locator("article pre").first().textContent()).toContain(hostile);
    expect(await page.locator("article blockquote").first().textContent()).toContain(hostile);
    await page.close();
  });

  test("columns sort both ways and say so", async () => {
    const { page } = await open({});
    const head = page.locator("th", { has: page.getByRole("button", { name: "Build" }) });
    const built = async (): Promise<number[]> => {
      const texts = await page
        .locator(".sortable tbody tr td:nth-child(7)")
        .evaluateAll((cells) => cells.map((cell) => (cell as unknown as { dataset: { value: string } }).dataset.value));
      return texts.map(Number);
    };
    await page.getByRole("button", { name: "Build" }).click();
    expect(await head.getAttribute("aria-sort")).toBe("ascending");
    expect(await built()).toEqual((await built()).toSorted((a, b) => a - b));
    await page.getByRole("button", { name: "Build" }).press("Enter");
    expect(await head.getAttribute("aria-sort")).toBe("descending");
    expect(await built()).toEqual((await built()).toSorted((a, b) => b - a));
    await page.close();
  });

  test("answers can be searched, filtered, chosen by candidate and drawn on", async () => {
    const fixture = reportFixture();
    const { page } = await open({});
    const count = page.locator("#count");
    expect(await page.locator("article").count()).toBe(5);
    await page.getByRole("button", { name: /^Show 20 more/u }).click();
    expect(await page.locator("article").count()).toBe(25);

    await page.getByRole("combobox").selectOption("winner");
    const winner = fixture.evaluations.find(({ candidate }) => candidate === fixture.report.recommendation.winner);
    const missed = winner?.rows.filter((row) => (row.scores["token-f1"]?.value ?? 0) < 0.5).length;
    expect(await count.textContent()).toBe(`${missed} of 100 examples, 6 of 12 candidates`);

    await page.getByRole("combobox").selectOption("errors");
    expect(await count.textContent()).toMatch(/^0 of 100/u);
    await page.locator(".choose summary").click();
    await page.getByLabel("pretrain").check();
    const failed = fixture.evaluations.flatMap(({ rows }) => rows).filter((row) => row.error !== undefined).length;
    expect(await count.textContent()).toBe(`${failed} of 100 examples, 7 of 12 candidates`);

    await page.getByRole("combobox").selectOption("all");
    await page.getByRole("searchbox").fill("TURNING CIRCLE");
    await page.locator("#count", { hasText: /^6 of 100/u }).waitFor();
    await page.close();
  });
});
