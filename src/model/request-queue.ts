// One request at a time, in the order they came.

export interface RequestQueue {
  /** Runs `action` when all before it have ended; an aborted one leaves the queue at once. */
  run<T>(action: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function requestQueue(): RequestQueue {
  let last: Promise<unknown> = Promise.resolve();
  const run = <T>(action: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    const result = last.then(() => {
      signal?.throwIfAborted();
      return action();
    });
    last = result.catch(() => undefined);
    return signal === undefined ? result : orAborted(result, signal);
  };
  return { run };
}

async function orAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
