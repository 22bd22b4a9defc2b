// A bounded queue in front of a model: so many answers at a time, so many requests waiting, the rest turned away.
import { ProtocolError } from "./protocol-error.ts";

export interface AnswerQueueOptions {
  /** Answers at a time. */
  readonly running: number;
  /** Requests that may wait beside them. */
  readonly waiting: number;
}

export interface AnswerQueue {
  /** Requests that wait now. */
  readonly waiting: number;
  /**
   * Runs `action` when there is room, in the order of arrival; an aborted one leaves the queue at once.
   * @throws {ProtocolError} 503 with the time after which to try again, when the queue is full.
   */
  run<T>(action: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function answerQueue({ running: most, waiting: mostWaiting }: AnswerQueueOptions): AnswerQueue {
  const waiting = new Set<() => void>();
  let running = 0;
  let averageSeconds = 1;

  const room = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (running < most) return void running++;
    if (waiting.size >= mostWaiting) throw full((averageSeconds * waiting.size) / most / 2);
    await turn(waiting, signal);
  };
  // The room of the one that ends goes straight to the next, so that nobody overtakes.
  const leave = (): void => {
    const [next] = waiting;
    if (next === undefined) running--;
    else next();
  };
  return {
    get waiting() {
      return waiting.size;
    },
    run: async (action, signal) => {
      await room(signal);
      const started = performance.now();
      try {
        return await action();
      } finally {
        averageSeconds = 0.8 * averageSeconds + (0.2 * (performance.now() - started)) / 1000;
        leave();
      }
    },
  };
}

/** Waits until it is called from among `waiting`, or throws when aborted. */
function turn(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      waiting.delete(enter);
      reject(signal.reason as Error);
    };
    const enter = (): void => {
      waiting.delete(enter);
      signal.removeEventListener("abort", leave);
      resolve();
    };
    waiting.add(enter);
    signal.addEventListener("abort", leave, { once: true });
  });
}

/** Half the queue is the guess, since others leave it too. */
function full(seconds: number): ProtocolError {
  const retrySeconds = Math.min(60, Math.max(1, Math.ceil(seconds)));
  return new ProtocolError({ status: 503, message: "Too many requests are waiting. Try again later.", code: "queue_full", retrySeconds });
}
