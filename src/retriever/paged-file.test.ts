import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openPagedFiles, PageCache, PagedFile } from "./paged-file.ts";

test("what is read at any place is what the file holds there, however few pages are held", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sartor-pages-"));
  try {
    const content = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7919) >>> 5);
    await writeFile(join(folder, "a"), content);
    await writeFile(join(folder, "b"), content.toReversed());
    const pages = new PageCache({ bytes: 1 << 15 });
    using a = new PagedFile(join(folder, "a"), pages);
    using b = new PagedFile(join(folder, "b"), pages);
    const range = fc.tuple(fc.boolean(), fc.nat(content.length), fc.nat(90_000));
    fc.assert(
      fc.property(range, ([first, from, length]) => {
        const wanted = Math.min(length, content.length - from);
        const expected = (first ? content : content.toReversed()).subarray(from, from + wanted);
        expect(Buffer.compare((first ? a : b).read(from, wanted), expected)).toBe(0);
      }),
    );
    expect(() => a.read(99_999, 2)).toThrow("early");
    expect(() => openPagedFiles(folder, { there: "a", gone: "c" }, pages)).toThrow("ENOENT");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
