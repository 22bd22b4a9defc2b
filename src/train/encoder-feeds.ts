// Texts as an encoder's graph reads them: filled up to one length, with what tells the text from the filling.

import { float32, int64, type Tensors } from "../runtime/tensor.ts";

/** Not -Infinity: its products with zero gradients would be NaN. */
const HIDDEN = -1e9;

/** Token ids of texts, special tokens included, as the inputs of `encoderInputs`. */
export function encoderFeeds(texts: readonly (readonly number[])[]): Tensors {
  const time = Math.max(...texts.map(({ length }) => length));
  const [count, cells] = [texts.length, texts.length * time];
  const tokens = new Float64Array(cells);
  const [padding, shares] = [new Float32Array(cells).fill(HIDDEN), new Float32Array(cells)];
  for (const [row, text] of texts.entries()) {
    for (const [place, token] of text.entries()) tokens[row * time + place] = token;
    padding.fill(0, row * time, row * time + text.length);
    shares.fill(1 / text.length, row * time, row * time + text.length);
  }
  return {
    tokens: int64(tokens, [count, time]),
    places: int64(
      Array.from({ length: time }, (_, place) => place),
      [time],
    ),
    padding: float32(padding, [count, 1, 1, time]),
    shares: float32(shares, [count, 1, time]),
  };
}
