// Pictures and sounds in an index beside texts: found by words and by other pictures, kept up to date, in one line each where they break.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { indexDocuments, type IndexDocumentsOptions, type IndexResult } from "../../src/index-documents.ts";
import { openSearchIndex, type SearchIndex, type SearchIndexOptions } from "../../src/search-index.ts";
import type { Environment } from "../../src/answer/open.ts";
import { readMedia } from "../../src/media/read-media.ts";
import { colours, png, redPictures, tone, wav, writeTinyClap, writeTinyClip } from "../support/tiny-multimodal.ts";

/** Milliseconds: from TypeScript, starting the process of a model takes a second of a free machine. */
const STARTING = 120_000;

let folder = "";
let clip = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sartor-index-media-"));
  clip = await writeTinyClip(join(folder, "clip"));
  await mkdir(join(folder, "photos"));
  const title = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt><rdf:li xml:lang="x-default">A meadow &amp; its fence</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>`;
  const files = {
    "wall-one.png": png(colours.red),
    "DSC_0002.png": png(colours.green, { xmp: title }),
    "sea.jpeg": png(colours.blue),
    "broken.png": png(colours.blue).subarray(0, 60),
    "note.md": "# Notes\n\nThe red roof was mended in May.",
  };
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, "photos", name), bytes);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const environment = (): Environment => ({
  modelsFolder: join(folder, "models"),
  extraFolders: [],
  threads: 1,
  memoryBytes: 2 ** 30,
  contextLength: 512,
  secret: () => undefined,
});

async function index(options: Partial<IndexDocumentsOptions> = {}): Promise<IndexResult> {
  const given = { index: join(folder, "index"), folder, environment: environment(), ...options };
  for await (const event of indexDocuments(given)) if (event.kind === "done") return event;
  throw new Error("indexing ended without a result");
}

async function found(searching: SearchIndex, query: string, options: SearchIndexOptions = {}): Promise<string[]> {
  return (await searching.search(query, options)).map(({ document }) => document);
}

test("pictures are found by words and by pictures, and a broken one is one line", { timeout: STARTING }, async () => {
  const result = await index({ documents: ["photos"], embedding: clip, summaries: true });
  expect(result).toMatchObject({ added: 4, documents: 4 });
  expect(result.notices).toEqual([
    expect.stringMatching(/^photos\/broken\.png left out: it is no picture that can be read \([^\n]+\)\. Save it again as PNG or JPEG\.$/),
  ]);

  await using searching = await openSearchIndex({ index: join(folder, "index"), environment: environment() });
  const pictures = { where: [{ field: "media", operator: "=", value: "image" }] } as const;
  for (const [word, picture] of [
    ["red", "wall-one.png"],
    ["green", "DSC_0002.png"],
    ["blue", "sea.jpeg"],
  ] as const)
    expect((await found(searching, word, { method: "dense", ...pictures }))[0]).toBe(picture);
  // The name of one, and the description that another holds.
  expect(await found(searching, "sea", { method: "bm25" })).toEqual(["sea.jpeg"]);
  expect(await found(searching, "a fence around", { method: "bm25" })).toEqual(["DSC_0002.png"]);
  expect((await found(searching, "wall red"))[0]).toBe("wall-one.png");
  expect((await found(searching, "green", { descend: { documents: 2 }, ...pictures }))[0]).toBe("DSC_0002.png");

  const [best] = await searching.search("", { like: { kind: "image", bytes: Buffer.from(redPictures.jpg, "base64") }, ...pictures });
  expect(best).toMatchObject({
    document: "wall-one.png",
    title: "wall one",
    text: "",
    start: 0,
    end: 0,
    media: "image",
    score: expect.closeTo(1, 3) as unknown,
  });
  // A picture finds texts too.
  expect((await found(searching, "", { like: { kind: "image", bytes: png(colours.red) } })).slice(0, 2).sort()).toEqual([
    "note.md",
    "wall-one.png",
  ]);
  // What is near the picture, among what says so.
  expect((await found(searching, "meadow", { like: { kind: "image", bytes: png(colours.blue) }, weight: 0.1 }))[0]).toBe("DSC_0002.png");
  await expect(searching.search("", { like: { kind: "image", bytes: Buffer.from("none") } })).rejects.toThrow(
    /^The picture searched for is no picture that can be read \(/,
  );
  await expect(searching.search("", { like: { kind: "sound", bytes: wav(tone(200)) } })).rejects.toThrow("has no vector for a sound");
});

test("a picture that changes costs that picture, and other models are refused", { timeout: STARTING }, async () => {
  await writeFile(join(folder, "photos", "wall-one.png"), png(colours.blue, { width: 20 }));
  await writeFile(join(folder, "photos", "sea.jpeg"), "broken now");
  const result = await index();
  expect(result).toMatchObject({ added: 0, changed: 1, removed: 0, documents: 4 });
  expect(result.notices.filter((notice) => notice.startsWith("photos/sea.jpeg"))).toEqual([
    expect.stringMatching(/left out: it is no picture.*The index keeps what it was before\.$/),
  ]);
  await using searching = await openSearchIndex({ index: join(folder, "index"), environment: environment() });
  const blue = await found(searching, "blue", { method: "dense", where: [{ field: "type", operator: "!=", value: "md" }] });
  expect(blue.slice(0, 2).sort()).toEqual(["sea.jpeg", "wall-one.png"]);

  await writeFile(join(clip, "config.json"), JSON.stringify({ model_type: "clip", changed: true }));
  await using changed = await openSearchIndex({ index: join(folder, "index"), environment: environment() });
  await expect(changed.search("red", { method: "dense" })).rejects.toThrow(
    /The index was embedded with other files of .*clip than those here/,
  );
  await expect(index()).rejects.toThrow(/was made with .*clip/);
});

test("sounds are found by words and by sounds", { timeout: STARTING }, async () => {
  await mkdir(join(folder, "sounds"));
  await writeFile(join(folder, "sounds", "horn.wav"), wav(tone(150), { facts: "A ship at night" }));
  await writeFile(join(folder, "sounds", "whistle.wav"), wav(tone(3000), { rate: 22_050 }));
  await writeFile(join(folder, "sounds", "broken.wav"), "RIFF");
  await writeFile(join(folder, "sounds", "picture.png"), png(colours.red));
  const clap = await writeTinyClap(join(folder, "clap"));
  const at = join(folder, "index-of-sounds");
  const result = await index({ index: at, documents: ["sounds"], embedding: clap });
  expect(result.notices).toEqual([
    "sounds/broken.wav left out: it is no WAV file. Save it again as WAV without compression.",
    expect.stringMatching(/^sounds\/picture\.png left out: documents are /),
  ]);
  await using searching = await openSearchIndex({ index: at, environment: environment() });
  expect((await found(searching, "low"))[0]).toBe("horn.wav");
  expect((await found(searching, "high"))[0]).toBe("whistle.wav");
  expect(await found(searching, "ship", { method: "bm25" })).toEqual(["horn.wav"]);
  expect((await found(searching, "", { like: await readMedia(join(folder, "sounds", "whistle.wav")) }))[0]).toBe("whistle.wav");
});

test("a file that is neither is refused before anything is searched", async () => {
  await expect(readMedia("notes.txt")).rejects.toThrow("notes.txt is no picture and no sound. Name a file that ends with one of .png, ");
  await expect(readMedia(join(folder, "none.png"))).rejects.toThrow(/none\.png can't be read: /);
});
