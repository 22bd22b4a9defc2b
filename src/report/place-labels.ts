// Where the labels of points go, so that none covers another, a point or an interval. Knows pixels, not meanings.

export interface PlacedPoint {
  /** Pixels from the left and the top. */
  readonly x: number;
  readonly y: number;
  /** The vertical extent of its interval. */
  readonly top: number;
  readonly bottom: number;
  /** Texts to try, the best first: a name, then a number. */
  readonly texts: readonly string[];
}

export interface Label {
  readonly index: number;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly align: "left" | "right";
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface PlaceOptions {
  /** In the order in which labels are given room. */
  readonly points: readonly PlacedPoint[];
  readonly width: number;
  readonly height: number;
  readonly fontSize: number;
}

const overlap = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** At most one label a point; a point whose texts fit nowhere gets none. Greedy, in the order given. */
export function placeLabels({ points, width, height, fontSize }: PlaceOptions): readonly Label[] {
  const taken: Box[] = points.flatMap(({ x, y, top, bottom }) => [
    { left: x - 6, right: x + 6, top: y - 6, bottom: y + 6 },
    { left: x - 2, right: x + 2, top, bottom },
  ]);
  const labels: Label[] = [];
  for (const [index, point] of points.entries()) {
    const found = candidates(point, fontSize).find(
      ({ box }) => box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height && !taken.some((one) => overlap(one, box)),
    );
    if (found === undefined) continue;
    taken.push(found.box);
    labels.push({ index, text: found.text, x: found.x, y: found.y, align: found.align });
  }
  return labels;
}

/** For each text: right and left of the point, level with it, then above and below. */
function candidates(
  { x, y, texts }: PlacedPoint,
  fontSize: number,
): readonly { readonly text: string; readonly x: number; readonly y: number; readonly align: Label["align"]; readonly box: Box }[] {
  const shifts = [0, -fontSize * 1.1, fontSize * 1.1, -fontSize * 2.2, fontSize * 2.2];
  return texts.flatMap((text) =>
    shifts.flatMap((shift) =>
      (["left", "right"] as const).map((align) => {
        const width = text.length * fontSize * 0.56;
        const start = align === "left" ? x + 8 : x - 8;
        const left = align === "left" ? start : start - width;
        const box = { left, right: left + width, top: y + shift - fontSize * 0.6, bottom: y + shift + fontSize * 0.6 };
        return { text, x: start, y: y + shift, align, box };
      }),
    ),
  );
}
