// Random numbers that a seed decides: the same on every machine, in every run.
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import { createHash } from "node:crypto";

/** A stream of random numbers; each call moves it on. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A whole number in [0, n). Throws RangeError when n is no whole number above 0. */
  integer(n: number): number;
  /** The items in a random order, in a new array (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** Standard normal: mean 0, variance 1 (Box and Muller, 1958). */
  normal(): number;
}

/** xoroshiro128+ whose state is the hash of the seed, so neighbouring seeds give unrelated streams. `7` and `"7"` are one seed. */
export function seededRandom(seed: number | string): Random {
  const digest = createHash("sha256").update(String(seed)).digest();
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)));
  const next = (): number => uniformFloat64(generator);
  const integer = (n: number): number => {
    if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`integer(${n}): n must be a whole number above 0`);
    return uniformInt(generator, 0, n - 1);
  };
  const shuffle = <T>(items: readonly T[]): T[] => {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = integer(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
    }
    return shuffled;
  };
  // 1 - next() is in (0, 1], so the logarithm is finite.
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return { next, integer, shuffle, normal };
}
