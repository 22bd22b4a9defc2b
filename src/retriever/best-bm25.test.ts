import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../util/random.ts";
import { bestBm25, bm25At, bm25Moments, bm25Query } from "./best-bm25.ts";
import { bm25Scores } from "./bm25.ts";
import { openIndexWriter } from "./index-writer.ts";
import { readManifest } from "./manifest.ts";
import { PageCache } from "./paged-file.ts";
import { best } from "./scored.ts";
import { Snapshot } from "./snapshot.ts";

const PASSAGES = 3000;
const queries = ["w0", "w0 w1 w2", "w3 w40 w700", "w900 w2 w2 w5", "w1 w3 w5 w7 w9 w11 w13", "absent", "absent w2500 w12"];

let folder: string;
let snapshot: Snapshot;

/** Words as often as in texts (Zipf), with passages of many lengths, in two segments, a part of both removed. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-bm25-"));
  const random = seededRandom("bm25");
  const word = (): string => `w${Math.floor(3000 ** random.next()) - 1}`;
  const text = (): string => Array.from({ length: 5 + random.integer(60) }, word).join(" ");
  for (const [from, to] of [
    [0, 2000],
    [1900, PASSAGES],
  ] as const) {
    await using writer = await openIndexWriter({ folder, chunk: { words: 100, overlap: 0 } });
    for (let at = from; at < to; at++) await writer.put({ id: `${at}.md`, title: "", text: text(), sha256: "" });
    for (let at = from; at < to; at += 37) await writer.remove(`${at}.md`);
    await writer.commit({ sources: { folder: ".", paths: [] } });
  }
  snapshot = Snapshot.open(folder, (await readManifest(folder))!, new PageCache());
});
afterAll(async () => {
  for (const segment of snapshot.segments) segment[Symbol.dispose]();
  await rm(folder, { recursive: true, force: true });
});

describe.each([{}, { k1: 1.2, b: 0.75 }, { k1: 2, b: 1 }])("BM25 with %j over an index of two segments", (options) => {
  test.each(queries)("finds for %j what scoring everything finds, to the last bit", (query) => {
    const terms = query.split(" ");
    const scores = bm25Scores(snapshot, terms, options);
    const counted = scores.map((score, slot) => (snapshot.counts(slot) ? score : 0));
    const asked = bm25Query(snapshot, terms, options);
    for (const k of [1, 10, 200]) {
      const expected = best(counted, { k, above: 0, idOf: (slot) => snapshot.idOf(slot) });
      expect(bestBm25(asked, { k, accepts: (slot) => snapshot.counts(slot) }).found()).toEqual(expected);
    }
    const slots = Int32Array.from({ length: 1000 }, (_, index) => 3 * index).filter((slot) => snapshot.counts(slot));
    expect([...bm25At(asked, slots)]).toEqual(Array.from(slots, (slot) => scores[slot]));
  });
});

test("mean and deviation from some windows are near those of all", () => {
  const terms = ["w1", "w4"];
  const scores = [...bm25Scores(snapshot, terms)];
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const deviation = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length);
  const moments = bm25Moments(bm25Query(snapshot, terms));
  expect(Math.abs(moments.mean / mean - 1)).toBeLessThan(0.25);
  expect(Math.abs(moments.deviation / deviation - 1)).toBeLessThan(0.25);
});
