// The most resident memory this process held while something ran, sampled.

export interface PeakMemory {
  /** Bytes, the highest sample so far. */
  bytes(): number;
  stop(): void;
}

/** Samples the resident set every `interval` milliseconds until stopped. It sees the whole process: other work at the same time counts too. */
export function watchPeakMemory(interval = 100): PeakMemory {
  let peak = process.memoryUsage.rss();
  const sample = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(sample, interval);
  timer.unref();
  return {
    bytes: () => {
      sample();
      return peak;
    },
    stop: () => clearInterval(timer),
  };
}
