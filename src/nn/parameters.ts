// What a decoder consists of: every tensor that the graph uses, its shape, and the GGUF tensors it is stacked from.

/** A GGUF tensor that is `rows` rows of a parameter. */
export interface Part {
  readonly tensor: string;
  readonly rows: number;
}

/**
 * A tensor of the model as the graph uses it. Matrices that read the same input are stacked by rows into one (query, key and value;
 * gate and up), since one wide product is quicker than three narrow ones.
 */
export interface Parameter {
  readonly name: string;
  /** [outputs, inputs] of a linear layer, [width] of a norm, [outputs] of a bias. */
  readonly shape: readonly number[];
  readonly parts: readonly Part[];
  readonly kind: "embedding" | "linear" | "norm" | "bias";
  /** The layer that it belongs to; none for embedding, last norm and output. */
  readonly layer?: number;
}

/** One layer. What is optional is left out where an architecture does not have it. */
export type LayerParameters = {
  readonly attentionNorm: Parameter;
  readonly queryKeyValue: Parameter;
  readonly queryKeyValueBias?: Parameter;
  /** [headDim], one for all heads. */
  readonly queryNorm?: Parameter;
  readonly keyNorm?: Parameter;
  readonly attentionOutput: Parameter;
  /** Of what attention adds to the hidden state. */
  readonly attentionPostNorm?: Parameter;
  readonly feedForwardNorm: Parameter;
  readonly gateUp: Parameter;
  readonly down: Parameter;
  readonly feedForwardPostNorm?: Parameter;
};

export interface DecoderParameters {
  readonly embedding: Parameter;
  readonly layers: readonly LayerParameters[];
  readonly outputNorm: Parameter;
  /** The table that scores tokens; the embedding itself where the two are tied. */
  readonly output: Parameter;
}

/** Every parameter once: matrices first, then norms and biases, so that weight decay can stop at one place. */
export function allParameters({ embedding, layers, outputNorm, output }: DecoderParameters): readonly Parameter[] {
  const ofLayers = layers.flatMap((layer) => Object.values(layer));
  const matrices = ofLayers.filter(isMatrix);
  const vectors = ofLayers.filter((parameter) => !isMatrix(parameter));
  return [embedding, ...matrices, ...(output === embedding ? [] : [output]), ...vectors, outputNorm];
}

/** The linear layers of a layer: what adapters are put on. */
export function linears(layer: LayerParameters): readonly Parameter[] {
  return Object.values(layer).filter(isMatrix);
}

/** Whether a parameter is a matrix and not a norm or a bias, which are never decayed. */
export function isMatrix({ kind }: Parameter): boolean {
  return kind === "embedding" || kind === "linear";
}

export function elementCount({ shape }: { readonly shape: readonly number[] }): number {
  return shape.reduce((product, dim) => product * dim, 1);
}
