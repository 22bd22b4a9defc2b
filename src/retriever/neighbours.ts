// Passages that are alike should score alike: what each found passage's neighbours score becomes part of its own score.
import { innerProduct } from "./similarity.ts";

/** Neighbours that count for a passage. */
const NEIGHBOURS = 10;

/**
 * Scores of which `share` (0 to 1) is the mean of the nearest others' scores, each by its similarity: one step of score regularisation
 * over the graph of nearest neighbours (Diaz 2005, "Regularizing ad hoc retrieval scores"). `vectors`: unit vectors in the scores' order.
 */
export function sharedScores(scores: readonly number[], vectors: readonly Float32Array[], share: number): number[] {
  return scores.map((own, place) => {
    const near = vectors
      .map((vector, other) => ({ other, similarity: other === place ? 0 : innerProduct(vectors[place]!, vector) }))
      .filter(({ similarity }) => similarity > 0)
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, NEIGHBOURS);
    const total = near.reduce((sum, { similarity }) => sum + similarity, 0);
    if (total === 0) return own;
    const others = near.reduce((sum, { other, similarity }) => sum + similarity * scores[other]!, 0) / total;
    return (1 - share) * own + share * others;
  });
}
