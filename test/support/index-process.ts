// A process that puts all documents of an index anew, again and again, until it is killed. Arguments: the index folder.
import { openIndexWriter } from "../../src/retriever/index-writer.ts";
import { wordVectors } from "./word-vectors.ts";

const [folder = ""] = process.argv.slice(2);
const embedding = { name: "word-vectors", model: wordVectors() };
for (let version = 1; ; version++) {
  await using writer = await openIndexWriter({ folder, chunk: { words: 20, overlap: 0 }, embedding, listsFrom: 4 });
  for (let at = 0; at < 12; at++) await writer.put({ id: `${at}.md`, title: "", text: `bike version${version}`, sha256: "" });
  await writer.commit({ sources: { folder: ".", paths: [] } });
  process.stdout.write(`${version}\n`);
}
