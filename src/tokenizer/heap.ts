// A binary heap: the least item first, by an order that its owner gives.

export interface Heap<T> {
  push(item: T): void;
  /** The least item, taken out; undefined when there is none. */
  pop(): T | undefined;
}

/** A heap ordered by `before(a, b)`: true when `a` comes out first. */
export function createHeap<T>(before: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];
  const push = (item: T): void => {
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  };
  const pop = (): T | undefined => {
    const first = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return first;
    let at = 0;
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child += 1;
      if (!before(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return first;
  };
  return { push, pop };
}
