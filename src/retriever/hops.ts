// Follows the ties between documents: what is tied to what was found counts too, less with each hop. Knows nothing of what ties are.
import { UserError } from "../errors.ts";
import type { Ranker } from "./ranking.ts";
import { byScore, type Scored } from "./scored.ts";
import { placeOf } from "./passages.ts";

export interface HopsOptions {
  /** How far ties are followed, 0 to 2. */
  readonly hops: number;
  /** Share of a score that goes on with each hop. */
  readonly decay?: number;
}

/** A document as a place on the way. */
export interface TiedDocument {
  /** Ids of the documents it is tied to. */
  readonly neighbours: readonly string[];
  /** Ids of its passages that may be found, in order. */
  readonly passages: readonly string[];
}

/** A document by its id; none where there is none. */
export type Tied = (document: string) => TiedDocument | undefined | Promise<TiedDocument | undefined>;

/** Passages that are ranked before ties are followed. */
const POOL = 100;
/** Documents, the best, whose ties are followed at each hop. */
const FOLLOWED = 10;
/** Ties of one document that are followed. */
const MOST_TIES = 200;

export function checkHops(hops: number): number {
  if (Number.isInteger(hops) && hops >= 0 && hops <= 2) return hops;
  throw new UserError(`hops is ${hops}. Set it to 0, 1 or 2.`);
}

/**
 * Adds to the best passage of each document the score that comes to it over ties: that of the best path from a document found, times
 * `decay` for each hop, scores counted from that of the last passage ranked (spreading activation, Collins and Loftus 1975, with the maximum in the place of the sum). A document that was not
 * found itself is found by its first passage.
 */
export function withHops(rank: Ranker, { hops, decay = 0.5, tied }: HopsOptions & { readonly tied: Tied }): Ranker {
  return async (query) => {
    const most = Math.max(POOL, query.k);
    const found = await rank({ ...query, k: most });
    const floor = found.length < most ? Math.min(0, found.at(-1)?.score ?? 0) : found.at(-1)!.score;
    const best = bestOfDocuments(found);
    const known = new Map<string, Promise<TiedDocument | undefined>>();
    const documentOf = (id: string): Promise<TiedDocument | undefined> => {
      const document = known.get(id) ?? Promise.resolve(tied(id));
      known.set(id, document);
      return document;
    };
    const arrived = await spread(best, { hops, decay, floor, documentOf });
    const scores = new Map(found.map(({ id, score }) => [id, score]));
    for (const [document, score] of arrived) {
      const passage = best.get(document)?.id ?? (await documentOf(document))?.passages[0];
      if (passage !== undefined) scores.set(passage, (scores.get(passage) ?? floor) + score);
    }
    return Array.from(scores, ([id, score]) => ({ id, score }))
      .sort(byScore)
      .slice(0, query.k);
  };
}

/** The best passage of each document, best first. */
function bestOfDocuments(found: readonly Scored[]): ReadonlyMap<string, Scored> {
  const best = new Map<string, Scored>();
  for (const passage of found) {
    const { document } = placeOf(passage.id);
    if (!best.has(document)) best.set(document, passage);
  }
  return best;
}

interface Spread extends Required<HopsOptions> {
  readonly floor: number;
  readonly documentOf: (id: string) => Promise<TiedDocument | undefined>;
}

/** Where a path has come to, with the score that is left of it, and where it began. */
interface Step {
  readonly document: string;
  readonly score: number;
  readonly origin: string;
}

/** The score that arrives at each document by the best path of one or more ties from another. Nothing goes out from a score that is not above 0. */
async function spread(best: ReadonlyMap<string, Scored>, { hops, decay, floor, documentOf }: Spread): Promise<ReadonlyMap<string, number>> {
  const arrived = new Map<string, number>();
  let front: readonly Step[] = Array.from(best, ([document, { score }]) => ({ document, score: score - floor, origin: document }));
  for (let hop = 0; hop < hops; hop++) {
    const next = new Map<string, Step>();
    for (const { document, score, origin } of front.filter((step) => step.score > 0).slice(0, FOLLOWED)) {
      for (const neighbour of (await documentOf(document))?.neighbours.slice(0, MOST_TIES) ?? []) {
        const left = score * decay;
        if (neighbour === origin || left <= (next.get(neighbour)?.score ?? 0)) continue;
        next.set(neighbour, { document: neighbour, score: left, origin });
        arrived.set(neighbour, Math.max(left, arrived.get(neighbour) ?? 0));
      }
    }
    front = [...next.values()].sort((a, b) => b.score - a.score || (a.document < b.document ? -1 : 1));
  }
  return arrived;
}
