// What goes wrong, in the error shape of the OpenAI protocol. Knows nothing of routes.
import { ContextOverflow, messageOf, ModelUnavailable, UserError } from "../index.ts";

export interface ProtocolErrorOptions {
  readonly status: 400 | 403 | 404 | 413 | 415 | 499 | 500 | 503;
  readonly message: string;
  readonly code?: string;
  /** The field of the request that is wrong, as in `messages[0].role`. */
  readonly param?: string;
  /** When to try again. */
  readonly retrySeconds?: number;
}

/** An error that a client is told about; its message is for people who write clients. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly status: ProtocolErrorOptions["status"];
  readonly retrySeconds: number | undefined;
  readonly #code: string | undefined;
  readonly #param: string | undefined;

  constructor({ status, message, code, param, retrySeconds }: ProtocolErrorOptions, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.retrySeconds = retrySeconds;
    this.#code = code;
    this.#param = param;
  }

  /** The body of the answer (https://platform.openai.com/docs/api-reference/errors). */
  get body(): { readonly error: { message: string; type: string; param: string | null; code: string | null } } {
    const type = this.status < 500 ? "invalid_request_error" : "server_error";
    return { error: { message: this.message, type, param: this.#param ?? null, code: this.#code ?? null } };
  }

  /** As a whole response. */
  response(): Response {
    const headers = this.retrySeconds === undefined ? {} : { "retry-after": String(this.retrySeconds) };
    return Response.json(this.body, { status: this.status, headers });
  }
}

/** Anything thrown while answering, as what the client is told. Never a stack. */
export function protocolError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error;
  const cause = { cause: error };
  const message = messageOf(error);
  if (error instanceof ContextOverflow)
    return new ProtocolError({ status: 400, message, code: "context_length_exceeded", param: "messages" }, cause);
  if (error instanceof ModelUnavailable)
    return new ProtocolError({ status: 503, message, code: "model_unavailable", retrySeconds: 5 }, cause);
  if (error instanceof Error && error.name === "AbortError")
    return new ProtocolError({ status: 499, message: "The client closed the request." }, cause);
  // What the user of the server can mend is told; anything else is a bug of ours, whose words mean nothing to a client.
  if (error instanceof UserError) return new ProtocolError({ status: 500, message }, cause);
  return new ProtocolError({ status: 500, message: "The candidate failed to answer. The server's log says why." }, cause);
}
