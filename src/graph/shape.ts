// Shapes with named sizes: arithmetic on dimensions such as 576, "batch", "batch*time" and "3*time". Knows nothing of operations.

/** A size: a number, or a product of names and at most one leading number, names sorted: "3*time", "batch*time". */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** The product of sizes in canonical form, so that equal products are equal values. The empty product is 1. */
export function product(dims: Shape): Dim {
  let factor = 1;
  const names: string[] = [];
  for (const dim of dims) {
    for (const part of typeof dim === "number" ? [dim] : dim.split("*")) {
      const number = Number(part);
      if (Number.isNaN(number)) names.push(String(part));
      else factor *= number;
    }
  }
  if (names.length === 0) return factor;
  return [...(factor === 1 ? [] : [factor]), ...names.sort()].join("*");
}

/** `a / b` where it is whole. @throws if `b` does not divide `a`. */
export function quotient(a: Dim, b: Dim): Dim {
  const over = factors(a);
  const under = factors(b);
  for (const name of under.names) {
    const index = over.names.indexOf(name);
    if (index < 0) throw new Error(`${b} does not divide ${a}.`);
    over.names.splice(index, 1);
  }
  if (over.factor % under.factor !== 0) throw new Error(`${b} does not divide ${a}.`);
  return product([over.factor / under.factor, ...over.names]);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** The shape of an elementwise operation on `a` and `b` (NumPy's rule). @throws if they do not fit. */
export function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[a.length - rank + axis] ?? 1;
    const right = b[b.length - rank + axis] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw new Error(`Shapes ${showShape(a)} and ${showShape(b)} do not broadcast.`);
  });
}

/** The axis as a number from 0, where negative ones count from the end. */
export function axisOf(shape: Shape, axis: number): number {
  const found = axis < 0 ? shape.length + axis : axis;
  if (found < 0 || found >= shape.length) throw new Error(`${showShape(shape)} has no axis ${axis}.`);
  return found;
}

export function dimAt(shape: Shape, axis: number): Dim {
  const dim = shape[axisOf(shape, axis)];
  if (dim === undefined) throw new Error(`${showShape(shape)} has no axis ${axis}.`);
  return dim;
}

/** The names in a size and its number. */
export function factors(dim: Dim): { factor: number; names: string[] } {
  const parts = String(dim).split("*");
  const names = parts.filter((part) => Number.isNaN(Number(part)));
  const factor = parts.filter((part) => !Number.isNaN(Number(part))).reduce((value, part) => value * Number(part), 1);
  return { factor, names };
}

/** The number of a size when every name has a value. */
export function sizeOf(dim: Dim, values: { readonly [name: string]: number }): number {
  const { factor, names } = factors(dim);
  return names.reduce((value, name) => {
    const size = values[name];
    if (size === undefined) throw new Error(`The size "${name}" has no value.`);
    return value * size;
  }, factor);
}

export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
