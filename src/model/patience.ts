// Asks a server again while it is busy. Knows nothing of what is asked.
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors.ts";
import { readServerError } from "./server-errors.ts";

export interface Patience {
  /** Milliseconds for one answer. */
  readonly answer: number;
  /** Tries after the first. */
  readonly retries: number;
  /** Milliseconds before the second try, doubled for each after it. */
  readonly wait: number;
}

export const defaultPatience: Patience = { answer: 120_000, retries: 3, wait: 1000 };

export interface AskPatientlyOptions<T> {
  readonly server: { readonly url: string; readonly model: string };
  readonly patience: Patience;
  readonly signal?: AbortSignal | undefined;
  readonly ask: () => Promise<T>;
  /** Whether the answer has begun, so that there is no asking again. */
  readonly begun?: () => boolean;
}

/** @throws what {@link readServerError} makes of the last failure. */
export async function askPatiently<T>({ server, patience, signal, ask, begun = () => false }: AskPatientlyOptions<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      signal?.throwIfAborted();
      const failure = readServerError(error, server);
      if (failure.kind !== "busy" || begun() || attempt >= patience.retries) throw failure.error;
      await sleep(failure.after ?? patience.wait * 2 ** attempt, undefined, signal === undefined ? {} : { signal });
    }
  }
}

/** A signal that ends a request that takes longer than one answer may, or that the caller stops. */
export function withinPatience({ answer }: Patience, signal: AbortSignal | undefined): AbortSignal {
  const late = AbortSignal.timeout(answer);
  return signal === undefined ? late : AbortSignal.any([signal, late]);
}

/** The address without slashes at its end. @throws {UserError} where it is none. */
export function checkedUrl(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url.replace(/\/+$/, "");
  throw new UserError(`"${url}" is no address of a server. Write it like http://localhost:8080/v1.`);
}
