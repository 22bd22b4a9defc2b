// Both archive readers against archives written here by the letter of their formats, and by the tools that write them for real.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { extractTarball } from "./untar.ts";
import { openZip } from "./unzip.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-archive-"));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

interface Member {
  readonly name: string;
  readonly content: Buffer;
}

const members = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^[a-z]{1,12}(\/[a-z]{1,8}){0,3}$/),
    content: fc
      .oneof(
        fc.uint8Array({ maxLength: 2000 }),
        fc.integer({ min: 0, max: 200_000 }).map((size) => new Uint8Array(size).fill(7)),
      )
      .map((bytes) => Buffer.from(bytes)),
  }),
  { minLength: 1, maxLength: 5, selector: ({ name }) => name },
);

test("what was zipped comes out, stored or deflated", async () => {
  await fc.assert(
    fc.asyncProperty(members, fc.boolean(), fc.string({ maxLength: 30 }), async (files, deflate, comment) => {
      const path = join(folder, "a.zip");
      await writeFile(path, zip(files, deflate, comment));
      await using archive = await openZip(path);
      expect(archive.entries).toEqual(files.map(({ name }) => name));
      for (const { name, content } of files) {
        await archive.extract(name, join(folder, "out"));
        expect((await readFile(join(folder, "out"))).equals(content)).toBe(true);
      }
    }),
    { numRuns: 20 },
  );
});

test("what was tarred comes out, and nothing that was not picked", async () => {
  await fc.assert(
    fc.asyncProperty(members, async (files) => {
      const path = join(folder, "a.tgz");
      await writeFile(path, gzipSync(Buffer.concat([...files.map(tarMember), Buffer.alloc(1024)])));
      const wanted = files.filter((_, at) => at % 2 === 0);
      const target = (name: string): string => join(folder, `tar-${name.replaceAll("/", "-")}`);
      const written = await extractTarball({ path, pick: (name) => (wanted.some((one) => one.name === name) ? target(name) : undefined) });
      expect([...written].toSorted()).toEqual(wanted.map(({ name }) => target(name)).toSorted());
      for (const { name, content } of wanted) expect((await readFile(target(name))).equals(content)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test("an archive that is cut short or is none is an error", async () => {
  const file = { name: "a", content: Buffer.from("some content, long enough to be cut") };
  const cut = join(folder, "cut");
  await writeFile(cut, zip([file], false, "").subarray(0, 20));
  await expect(openZip(cut)).rejects.toThrow("no zip archive");
  await writeFile(cut, gzipSync(tarMember(file).subarray(0, 530)));
  await expect(extractTarball({ path: cut, pick: () => join(folder, "out") })).rejects.toThrow("cut short");
  await writeFile(cut, "no archive");
  await expect(extractTarball({ path: cut, pick: () => undefined })).rejects.toThrow("incorrect header");
});

function zip(files: readonly Member[], deflate: boolean, comment: string): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, content } of files) {
    const body = deflate ? deflateRawSync(content) : content;
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(deflate ? 8 : 0, 4);
    shared.writeUInt32LE(crc32(content), 10);
    shared.writeUInt32LE(body.length, 14);
    shared.writeUInt32LE(content.length, 18);
    shared.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([signature(0x04034b50), shared, Buffer.from(name), body]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([signature(0x02014b50), Buffer.from([20, 0]), shared, rest, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const whole = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(whole.length, 8);
  end.writeUInt32LE(at, 12);
  end.writeUInt16LE(Buffer.byteLength(comment), 16);
  return Buffer.concat([...parts, whole, signature(0x06054b50), end, Buffer.from(comment)]);
}

function tarMember({ name, content }: Member): Buffer {
  const header = Buffer.alloc(512);
  // A long path is split at a slash: its beginning stands in the prefix.
  const slash = name.lastIndexOf("/");
  header.write(name.slice(slash + 1), 0);
  if (slash > 0) header.write(name.slice(0, slash), 345);
  header.write(content.length.toString(8).padStart(11, "0"), 124);
  header.write("0", 156);
  header.write("ustar\0" + "00", 257);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
