// `sartor report`: a finished comparison again.
import { openReport, terminalReport } from "../index.ts";

export async function reportVerb(path: string, options: { run?: string; markdown?: boolean; json?: boolean }): Promise<void> {
  const { report, markdown, folder } = await openReport({ path, ...(options.run === undefined ? {} : { run: options.run }) });
  if (options.json === true) return void console.log(JSON.stringify(report, undefined, 2));
  if (options.markdown === true) return void console.log(markdown);
  console.log(terminalReport(report, { width: process.stdout.columns ?? 100, colour: process.stdout.isTTY === true }));
  console.log(`\nReport: ${folder}/report.html`);
}
