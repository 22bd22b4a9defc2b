// Whether two tensors of a file claim the same bytes. Knows no format.

interface Placed {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Two tensors that share bytes, or undefined where none do. A file in which they did could claim more numbers than any memory holds,
 * all of them in the same place.
 */
export function overlap<T extends Placed>(tensors: Iterable<T>): readonly [T, T] | undefined {
  const placed = [...tensors].filter(({ bytes }) => bytes > 0).sort((a, b) => a.offset - b.offset);
  for (const [i, tensor] of placed.entries()) {
    const before = placed[i - 1];
    if (before && before.offset + before.bytes > tensor.offset) return [before, tensor];
  }
  return undefined;
}
