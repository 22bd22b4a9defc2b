// `sartor serve`: a finished run over the OpenAI protocol, until interrupted.
import { once } from "node:events";
import { messageOf, openServed, UserError } from "../index.ts";
import { createApp } from "../serve/app.ts";
import { startServer } from "../serve/server.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { wholeNumber } from "./options.ts";
import { version } from "./version.ts";

export interface ServeVerbOptions {
  readonly port: string;
  readonly host: string;
  readonly run?: string;
}

export async function serveVerb(path: string, { port, host, run }: ServeVerbOptions): Promise<void> {
  const signal = interruptSignal();
  const listenOn = { port: portNumber(port), host };
  await using served = await openServed({ path, environment: readEnvironment(), ...(run === undefined ? {} : { run }) });
  await served.warmUp();
  const app = createApp({ served, version, onError: (error) => console.error(`sartor: ${messageOf(error)}`) });
  await using server = await startServer({ app, ...listenOn });
  console.log(`${served.recommended} answers for ${served.task.name}, run ${served.report.runId}.
Ask on a page:      ${server.url}/
Ask by a program:   ${server.url}/v1 (OpenAI protocol; models: default, ${served.candidates.join(", ")})
Health and metrics: ${server.url}/health, ${server.url}/metrics
End with Ctrl-C.`);
  if (!signal.aborted) await once(signal, "abort");
  console.error("\nEnding: answers under way have 10 seconds.");
}

function portNumber(text: string): number {
  const port = wholeNumber(text, "--port");
  if (port <= 65_535) return port;
  throw new UserError(`--port is ${port}. Give a number up to 65535, or 0 for any that is free.`);
}
