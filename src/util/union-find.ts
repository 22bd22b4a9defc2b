// Sets that are merged until nothing joins them any more.

/** Disjoint sets of 0..size-1, each known by its smallest member's root. */
export interface UnionFind {
  find(item: number): number;
  union(a: number, b: number): void;
}

/** Tarjan 1975, with path halving; the smaller number becomes the root. */
export function unionFind(size: number): UnionFind {
  const parents = Int32Array.from({ length: size }, (_, index) => index);
  const find = (item: number): number => {
    let root = item;
    while (parents[root] !== root) {
      parents[root] = parents[parents[root] as number] as number;
      root = parents[root] as number;
    }
    return root;
  };
  const union = (a: number, b: number): void => {
    const [low, high] = [find(a), find(b)].sort((x, y) => x - y) as [number, number];
    parents[high] = low;
  };
  return { find, union };
}
