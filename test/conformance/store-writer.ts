// A process that writes to a store until it is killed, saying on stdout what is done: `npx tsx store-writer.ts <folder>`.
import { fileSystemStore } from "../../src/store/file-system.ts";

const store = fileSystemStore(process.argv[2] as string);
const size = 400_000;

for (let turn = 0; ; turn++) {
  await store.writeText("whole.txt", String(turn % 10).repeat(size));
  await store.append("rows.jsonl", { turn, filler: "x".repeat(100_000) });
  process.stdout.write(`${turn}\n`);
}
