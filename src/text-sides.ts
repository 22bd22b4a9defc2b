// Plain text for training, read from wherever it is, and its end held out. Knows no tokenizer.
import { stat } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import { recordFormats } from "./data/records.ts";
import { readTrainingRows } from "./data/training-rows.ts";
import { readDocuments } from "./document/read-all.ts";
import { UserError } from "./errors.ts";

export interface TextSides {
  readonly train: readonly string[];
  readonly validation: readonly string[];
  /** Of all texts. */
  readonly characters: number;
}

/** A tenth of the text, at its end. */
const heldOutShare = 0.1;
/** Less says nothing. */
const fewestCharacters = 1000;

/**
 * The texts of a folder of documents, of one document, or of JSONL or CSV with a column `text`.
 * @throws {UserError} where there are none, or too little to learn from.
 */
export async function readTextSides(data: string): Promise<TextSides> {
  const texts = await readTexts(data);
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  if (characters < fewestCharacters)
    throw new UserError(
      `${data} holds ${characters} characters of text; a model needs ${fewestCharacters} at least, and learns to write from some millions.`,
    );
  return { ...holdOut(texts, Math.floor(characters * (1 - heldOutShare))), characters };
}

/** @throws {UserError} for a path that is not there, and rows of prompts and answers. */
export async function readTexts(data: string): Promise<readonly string[]> {
  const kind = await stat(data).catch((cause: unknown) => {
    throw new UserError(`There is no file or folder ${data}. Check the path.`, { cause });
  });
  if (!kind.isDirectory() && Object.hasOwn(recordFormats, extname(data).toLowerCase())) {
    const rows = await readTrainingRows(data);
    return rows.map((row) => {
      if (row.kind === "text") return row.text;
      throw new UserError(
        `${data} holds rows of prompts and answers; pre-training reads a column "text". To tune a model on them: sartor tune`,
      );
    });
  }
  const where = kind.isDirectory()
    ? { sources: ["."], folder: resolve(data) }
    : { sources: [basename(data)], folder: resolve(dirname(data)) };
  const { documents } = await readDocuments(where);
  return documents.map(({ text }) => text);
}

/** The texts up to a number of characters, and those after it; a text that spans it is cut at the end of a line. */
function holdOut(
  texts: readonly string[],
  characters: number,
): { readonly train: readonly string[]; readonly validation: readonly string[] } {
  let left = characters;
  const cuts = texts.map((text) => {
    const inside = Math.max(0, Math.min(left, text.length));
    left -= text.length;
    const line = inside === text.length ? -1 : text.lastIndexOf("\n", inside);
    const cut = line < 0 ? inside : line + 1;
    return [text.slice(0, cut), text.slice(cut)] as const;
  });
  const some = (parts: readonly string[]): readonly string[] => parts.filter((part) => part !== "");
  return { train: some(cuts.map(([before]) => before)), validation: some(cuts.map(([, after]) => after)) };
}
