// The order of Q and K rows: halves apart (transformers) or interleaved (GGUF files of the llama architecture). Arithmetic only.

export interface RowOrder {
  readonly rows: number;
  /** Attention heads that the rows belong to: query heads for Q, key/value heads for K. */
  readonly heads: number;
}

/** Rows from transformers' order to that of a llama GGUF: of each head, row i of the first half, then row i of the second. */
export function permuteRows(matrix: Float32Array, order: RowOrder): Float32Array {
  return reordered(matrix, order, (gguf, transformers) => [transformers, gguf]);
}

/** Rows from the order of a llama GGUF to transformers' own. */
export function unpermuteRows(matrix: Float32Array, order: RowOrder): Float32Array {
  return reordered(matrix, order, (gguf, transformers) => [gguf, transformers]);
}

function reordered(
  matrix: Float32Array,
  { rows, heads }: RowOrder,
  direction: (gguf: number, transformers: number) => readonly [from: number, to: number],
): Float32Array {
  const headRows = rows / heads;
  if (headRows % 2 !== 0) throw new Error(`${rows} rows in ${heads} heads: a head needs an even number of rows`);
  const columns = matrix.length / rows;
  const out = new Float32Array(matrix.length);
  for (let gguf = 0; gguf < rows; gguf++) {
    const within = gguf % headRows;
    const transformers = gguf - within + (within % 2) * (headRows / 2) + (within >> 1);
    const [from, to] = direction(gguf, transformers);
    out.set(matrix.subarray(from * columns, (from + 1) * columns), to * columns);
  }
  return out;
}
