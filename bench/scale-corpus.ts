// Any number of passages, the same on every machine that has the same manuals: Debian's, then these again with words exchanged; and vectors
// clustered as those of texts are.
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { UserError } from "../src/errors.ts";
import type { EmbeddingModel } from "../src/model.ts";
import { stemmedTerms } from "../src/util/terms.ts";
import type { Document } from "../src/task.ts";
import { type Random, seededRandom } from "../src/util/random.ts";

export const PASSAGE_WORDS = 100;
export const DOCUMENT_PASSAGES = 10;
export const DIMENSIONS = 384;
const CENTRES = 2000;
/** Length of the noise beside a centre of length 1. */
const NOISE = 0.7;
/** One word in so many is another in what repeats. */
const EXCHANGED = 8;
/** Queries are of the words of these. */
const ASKED = 5000;

export interface ScaleCorpus {
  /** So many passages, ten a document. */
  documents(passages: number): Iterable<Document>;
  /** 3 to 10 words that stand together in a manual, stop words left out. */
  queries(count: number): string[];
}

/** @throws {UserError} where there are no manuals. */
export async function scaleCorpus(): Promise<ScaleCorpus> {
  const manuals = await readManuals();
  if (manuals.length < ASKED)
    throw new UserError("There are no manuals under /usr/share/man. On Debian, install man-db and some manpages.");
  return {
    documents: function* (passages) {
      for (let first = 0; first < passages; first += DOCUMENT_PASSAGES) {
        const random = seededRandom(`document ${first}`);
        const own = Array.from({ length: Math.min(DOCUMENT_PASSAGES, passages - first) }, (_, index) =>
          first + index < manuals.length ? manuals[first + index]! : varied(manuals, random),
        );
        const id = `manual/${String(first / DOCUMENT_PASSAGES).padStart(7, "0")}.txt`;
        yield { id, title: "", text: own.join("\n"), sha256: "" };
      }
    },
    queries: (count) => {
      const random = seededRandom("queries");
      return Array.from({ length: count }, () => queryOf(manuals, random));
    },
  };
}

/** A unit vector for every text: around one of 2,000 centres, as the text's hash decides. */
export function clusteredVectors(): EmbeddingModel {
  const centres = Array.from({ length: CENTRES }, (_, centre) => normals(seededRandom(`centre ${centre}`), 1));
  const embed = (content: string): Float32Array => {
    const random = seededRandom(content);
    const centre = centres[random.integer(CENTRES)]!;
    const noise = normals(random, NOISE);
    return unit(centre.map((value, i) => value + noise[i]!));
  };
  return {
    id: "clustered",
    key: "clustered-1",
    dimensions: DIMENSIONS,
    embed: async (texts) => texts.map(embed),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** A random direction, about of a length. */
function normals(random: Random, length: number): Float32Array {
  return Float32Array.from({ length: DIMENSIONS }, () => (length * random.normal()) / Math.sqrt(DIMENSIONS));
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function varied(manuals: readonly string[], random: Random): string {
  const words = manuals[random.integer(manuals.length)]!.split(" ");
  const other = manuals[random.integer(manuals.length)]!.split(" ");
  return words.map((word) => (random.integer(EXCHANGED) === 0 ? other[random.integer(other.length)]! : word)).join(" ");
}

function queryOf(manuals: readonly string[], random: Random): string {
  const wanted = 3 + random.integer(8);
  for (;;) {
    const words = manuals[random.integer(ASKED)]!.split(" ").filter(
      (word) => /^[a-zA-Z]{3,}$/u.test(word) && stemmedTerms(word).length === 1,
    );
    if (words.length < wanted) continue;
    const first = random.integer(words.length - wanted + 1);
    return words.slice(first, first + wanted).join(" ");
  }
}

/** The English manuals as passages of 100 words, in the order of their names. */
async function readManuals(): Promise<string[]> {
  const passages: string[] = [];
  for (const section of ["man1", "man2", "man3", "man4", "man5", "man6", "man7", "man8"]) {
    const folder = join("/usr/share/man", section);
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((one) => one.endsWith(".gz")).sort()) {
      const words = plain(await text(createReadStream(join(folder, name)).pipe(createGunzip())).catch(() => "")).split(/\s+/u);
      for (let first = 0; first + PASSAGE_WORDS <= words.length; first += PASSAGE_WORDS)
        passages.push(words.slice(first, first + PASSAGE_WORDS).join(" "));
    }
  }
  return passages;
}

/** Without roff's requests and escapes. */
function plain(roff: string): string {
  return roff
    .replaceAll(/^['.]\\".*$/gmu, " ")
    .replaceAll(/^\.\S*/gmu, " ")
    .replaceAll(/\\f(?:\[.*?\]|.)|\\s[-+]?\d|\\[&|^]/gu, "")
    .replaceAll(/\\\*?(?:\[.*?\]|\(..|.)/gu, " ");
}
