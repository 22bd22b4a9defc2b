import fc from "fast-check";
import { expect, test } from "vitest";
import { type Bounds, DIRECTORY_FIELDS, BLOCK_POSTINGS, encodePostings, END, PostingsCursor } from "./postings-blocks.ts";

interface Posting {
  readonly slot: number;
  readonly count: number;
  readonly length: number;
}

/** Gaps, counts and lengths of every width that a column can take. */
const postings = fc
  .array(
    fc.tuple(
      fc.oneof(fc.nat(3), fc.nat(300), fc.nat(200_000)),
      fc.oneof(fc.nat(3), fc.nat(70_000)),
      fc.oneof(fc.nat(200), fc.nat(100_000)),
    ),
    {
      minLength: 1,
      maxLength: 600,
    },
  )
  .map((rows): Posting[] => {
    let slot = -1;
    return rows.map(([gap, count, length]) => ({ slot: (slot += gap + 1), count: count + 1, length: length + count + 1 }));
  });

function cursorOf(rows: readonly Posting[]): PostingsCursor {
  const lengths = new Map(rows.map(({ slot, length }) => [slot, length]));
  const entries = Int32Array.from(rows.flatMap(({ slot, count }) => [slot, count]));
  const bytes = Uint8Array.from(encodePostings({ entries, length: rows.length }, (slot) => lengths.get(slot)!));
  const fields = DIRECTORY_FIELDS * Math.ceil(rows.length / BLOCK_POSTINGS);
  expect(bytes.length % 4).toBe(0);
  return new PostingsCursor({
    texts: rows.length,
    directory: new Int32Array(bytes.buffer, 0, fields),
    read: (from, length) => bytes.subarray(4 * fields + from, 4 * fields + from + length),
  });
}

const current = ({ slots, counts, lengths, at }: PostingsCursor): Posting => ({
  slot: slots[at]!,
  count: counts[at]!,
  length: lengths[at]!,
});

test("what was written is read", () => {
  fc.assert(
    fc.property(postings, (rows) => {
      expect([...cursorOf(rows).entries()]).toEqual(rows.flatMap(({ slot, count }) => [slot, count]));
      const cursor = cursorOf(rows);
      const walked: Posting[] = [];
      for (let slot = cursor.advance(0); slot !== END; slot = cursor.next()) walked.push(current(cursor));
      expect(walked).toEqual(rows);
    }),
  );
});

test("a walk stops at the first posting at or after each slot", () => {
  fc.assert(
    fc.property(postings, fc.array(fc.nat(400_000), { maxLength: 20 }), (rows, asked) => {
      const cursor = cursorOf(rows);
      for (const slot of asked.sort((a, b) => a - b)) {
        const expected = rows.find((row) => row.slot >= slot);
        expect(cursor.advance(slot)).toBe(expected?.slot ?? END);
        expect(expected === undefined ? undefined : current(cursor)).toEqual(expected);
      }
    }),
  );
});

test("bounds of a window hold for every posting in it, and do not move the walk past it", () => {
  fc.assert(
    fc.property(postings, fc.integer({ min: 1, max: 5000 }), (rows, width) => {
      const cursor = cursorOf(rows);
      const bounds: Bounds = { count: 0, length: 0 };
      const last = rows.at(-1)!.slot;
      for (let from = 0; from <= Math.min(last, 40 * width); from += width) {
        cursor.bounds(from, from + width, bounds);
        const inside = rows.filter(({ slot }) => slot >= from && slot < from + width);
        for (const { count, length } of inside) expect(bounds.count >= count && bounds.length <= length).toBe(true);
        expect(cursor.advance(from)).toBe(rows.find(({ slot }) => slot >= from)?.slot ?? END);
      }
    }),
  );
});
