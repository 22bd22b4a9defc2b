// What the server counts, in Prometheus' format. Knows nothing of HTTP.
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Answer } from "../index.ts";

export interface Outcome {
  /** Id of the candidate, or "none" where the request named no known one. */
  readonly candidate: string;
  readonly status: number;
  /** From the request to the last token, waiting included. */
  readonly seconds: number;
  readonly tokens?: Answer["tokens"];
}

export interface ServiceMetrics {
  record(outcome: Outcome): void;
  /** The text that Prometheus scrapes, and its content type. */
  text(): Promise<string>;
  readonly contentType: string;
}

export function serviceMetrics({ waiting }: { readonly waiting: () => number }): ServiceMetrics {
  const register = new Registry();
  const { requests, seconds, tokens } = meters(register, waiting);
  return {
    contentType: register.contentType,
    text: () => register.metrics(),
    record: (outcome) => {
      const { candidate } = outcome;
      requests.inc({ candidate, status: String(outcome.status) });
      if (outcome.status === 200) seconds.observe({ candidate }, outcome.seconds);
      if (outcome.tokens === undefined) return;
      tokens.inc({ candidate, direction: "input" }, outcome.tokens.input);
      tokens.inc({ candidate, direction: "output" }, outcome.tokens.output);
    },
  };
}

function meters(register: Registry, waiting: () => number) {
  const registers = [register];
  new Gauge({
    name: "sartor_requests_waiting",
    help: "Requests that wait for a model.",
    registers,
    collect() {
      this.set(waiting());
    },
  });
  return {
    requests: new Counter({
      name: "sartor_requests_total",
      help: "Chat completions by candidate and HTTP status.",
      labelNames: ["candidate", "status"],
      registers,
    }),
    seconds: new Histogram({
      name: "sartor_request_seconds",
      help: "Seconds from a request to its last token, waiting included.",
      labelNames: ["candidate"],
      buckets: [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60],
      registers,
    }),
    tokens: new Counter({
      name: "sartor_tokens_total",
      help: "Tokens read and written by candidate.",
      labelNames: ["candidate", "direction"],
      registers,
    }),
  };
}
