// The closed set of labels as a tree of tokens, and their probabilities when a model must write one of them. Knows no model.

export interface LabelNode {
  readonly children: ReadonlyMap<number, LabelNode>;
  /** Labels below, this one's own included. */
  readonly labels: readonly string[];
}

export interface LabelTokens {
  readonly label: string;
  /** Ends with a token that ends the answer, so no label is the beginning of another. */
  readonly tokens: readonly number[];
}

/**
 * The natural-log probability of each of `next` standing after the prompt and `path`. Called once for every node where labels part,
 * after the nodes above it.
 */
export type Predict = (path: readonly number[], next: readonly number[]) => Promise<ReadonlyMap<number, number>>;

/** A branch less likely than this is not looked into: its labels share what it has. e^-23 is 1e-10. */
const negligible = -23;

interface MutableNode {
  readonly children: Map<number, MutableNode>;
  readonly labels: string[];
}

export function labelTrie(labels: readonly LabelTokens[]): LabelNode {
  const root: MutableNode = { children: new Map(), labels: [] };
  for (const { label, tokens } of labels) {
    let node: MutableNode = root;
    node.labels.push(label);
    for (const token of tokens) {
      const next: MutableNode = node.children.get(token) ?? { children: new Map(), labels: [] };
      node.children.set(token, next);
      next.labels.push(label);
      node = next;
    }
  }
  return root;
}

/**
 * The natural-log probability of each label under decoding constrained to the set: at every node where labels part, the model's
 * distribution over the tokens that go on, renormalised. Tokens that no label parts at are certain, so they cost nothing. Sums to 1.
 */
export async function labelLogProbabilities(root: LabelNode, predict: Predict): Promise<Map<string, number>> {
  const result = new Map<string, number>();
  const visit = async (start: LabelNode, startPath: readonly number[], logProbability: number): Promise<void> => {
    const { node, path } = untilParting(start, startPath);
    if (node.children.size === 0 || node.labels.length === 1 || logProbability < negligible) {
      for (const label of node.labels) result.set(label, logProbability - Math.log(node.labels.length));
      return;
    }
    const next = [...node.children.keys()];
    const predicted = await predict(path, next);
    const total = logSumExp(next.map((token) => predicted.get(token) ?? -Infinity));
    for (const [token, child] of node.children) {
      await visit(child, [...path, token], logProbability + (predicted.get(token) ?? -Infinity) - total);
    }
  };
  await visit(root, [], 0);
  return result;
}

/** Follows the only way there is, to the node where labels part or to the end of a label. */
function untilParting(start: LabelNode, startPath: readonly number[]): { node: LabelNode; path: number[] } {
  let node = start;
  const path = [...startPath];
  while (node.children.size === 1) {
    for (const [token, child] of node.children) {
      path.push(token);
      node = child;
    }
  }
  return { node, path };
}

export function logSumExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest === -Infinity ? largest : largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}
