// Which files are pictures and sounds, by the ends of their names. Knows nothing of what is in them.
import { extname } from "node:path";
import type { MediaKind } from "../model.ts";

const extensions: { readonly [K in MediaKind]: readonly string[] } = {
  image: [".png", ".jpg", ".jpeg", ".webp"],
  sound: [".wav"],
};

export const mediaExtensions: readonly string[] = Object.values(extensions).flat();

/** None for a file of any other format. */
export function mediaKind(path: string): MediaKind | undefined {
  const extension = extname(path).toLowerCase();
  return (Object.keys(extensions) as MediaKind[]).find((kind) => extensions[kind].includes(extension));
}

/** As people call them. */
export const mediaNames: { readonly [K in MediaKind]: string } = { image: "picture", sound: "sound" };
