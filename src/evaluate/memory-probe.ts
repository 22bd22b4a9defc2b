// The process behind measureMemory: opens one candidate, answers a few inputs, says how much memory that took at the most.
import { answer } from "../answer/answer.ts";
import { openResources } from "../answer/open.ts";
import { messageOf } from "../errors.ts";
import { fileSystemStore } from "../store/file-system.ts";
import { watchPeakMemory } from "../util/peak-memory.ts";
import type { ProbeReply, ProbeRequest } from "./memory.ts";

const reply = (message: ProbeReply): void => void process.send?.(message);

process.once("message", (message) => {
  probe(message as ProbeRequest).then(reply, (error: unknown) => reply({ failed: messageOf(error) }));
});

async function probe({ candidate, inputs, documents, storeFolder, environment }: ProbeRequest): Promise<ProbeReply> {
  // Sampled, not asked of the system: a process inherits the high-water mark of the one that started it.
  const memory = watchPeakMemory(20);
  const store = fileSystemStore(storeFolder);
  await using resources = openResources({ documents, store, environment: { ...environment, secret: () => undefined } });
  for (const input of inputs) await answer({ candidate, input, resources });
  return { peakMemoryBytes: memory.bytes() };
}
