// The terms of several segments in one order, without holding them.
import type { TermPlace } from "./postings-file.ts";
import type { Segment } from "./segment.ts";

/** Every term once, with its place in each segment that has it. */
export function* inTermOrder(
  segments: readonly Segment[],
): Iterable<readonly [string, readonly { readonly segment: Segment; readonly place: TermPlace }[]]> {
  const walks = segments.map((segment) => {
    const terms = segment.postings.terms()[Symbol.iterator]();
    return { segment, terms, current: terms.next() };
  });
  for (;;) {
    let least: string | undefined;
    for (const { current } of walks)
      if (current.done !== true && (least === undefined || current.value[0] < least)) least = current.value[0];
    if (least === undefined) return;
    const places: { readonly segment: Segment; readonly place: TermPlace }[] = [];
    for (const walk of walks) {
      if (walk.current.done === true || walk.current.value[0] !== least) continue;
      places.push({ segment: walk.segment, place: walk.current.value[1] });
      walk.current = walk.terms.next();
    }
    yield [least, places];
  }
}
