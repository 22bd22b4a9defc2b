// `sartor mcp`: an index as a server of the Model Context Protocol on standard input and output. Prints nothing but the protocol.
import { type Asking, messageOf, openAsking, openSearchIndex } from "../index.ts";
import { serveMcp } from "../serve/mcp.ts";
import { interruptSignal, readEnvironment } from "./environment.ts";
import { version } from "./version.ts";

interface McpVerbOptions {
  readonly model?: string;
}

export async function mcpVerb(index: string, { model }: McpVerbOptions): Promise<void> {
  const signal = interruptSignal();
  const opening = { index, environment: readEnvironment(), signal, ...(model === undefined ? {} : { model }) };
  await using search = await openSearchIndex(opening);
  let asking: Promise<Asking> | undefined;
  const ask = (): Promise<Asking> => {
    asking ??= openAsking(opening);
    asking.catch(() => (asking = undefined));
    return asking;
  };
  await serveMcp({ search, ask, version, signal, onError: (error) => console.error(`sartor: ${messageOf(error)}`) });
  await (await asking?.catch(() => undefined))?.[Symbol.asyncDispose]();
}
