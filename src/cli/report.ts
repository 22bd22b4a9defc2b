// `sartor report`: a finished comparison again.
import { openReport, terminalReport } from "../index.ts";

export async function reportVerb(path: string, options: { run?: string; markdown?: boolean; json?: boolean }): Promise<void> {
  const { report, markdown, folder } = await openReport({ path, ...(options.run === undefined ? {} : { run: options.run }) });
  if (options.json === true) {
    console.log(JSON.stringify(report, undefined, 2));
    return;
  }
  if (options.markdown === true) {
    console.log(markdown);
    return;
  }
  console.log(terminalReport(report, { width: process.stdout.columns ?? 100, colour: process.stdout.isTTY === true }));
  console.log(`\nReport: ${folder}/report.html`);
}
