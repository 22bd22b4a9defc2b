// `sartor advise`: how to choose here, by the eight considerations, from measured figures.
import { advise, openReport, terminalAdvice } from "../index.ts";

export async function adviseVerb(path: string, options: { run?: string; json?: boolean }): Promise<void> {
  const { report } = await openReport({ path, ...(options.run === undefined ? {} : { run: options.run }) });
  const advice = advise(report);
  console.log(
    options.json === true ? JSON.stringify(advice, undefined, 2) : terminalAdvice(advice, { width: process.stdout.columns ?? 100 }),
  );
}
