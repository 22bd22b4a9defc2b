// What went wrong between here and a model server, and whose fault it is.
import { APICallError } from "@ai-sdk/provider";
import { messageOf, UserError } from "../errors.ts";
import { ContextOverflow, ModelUnavailable } from "../model.ts";

export interface ServerFailure {
  /** busy: worth another try; refused: the request as it is will never be taken. */
  readonly kind: "busy" | "refused" | "fatal";
  readonly error: Error;
  /** Milliseconds the server asks to wait. */
  readonly after?: number;
}

interface Server {
  readonly url: string;
  readonly model: string;
}

const longestWait = 60_000;

export function readServerError(error: unknown, { url, model }: Server): ServerFailure {
  if (error instanceof Error && error.name === "TimeoutError") {
    return { kind: "fatal", error: new ModelUnavailable(`${url} took too long to answer as "${model}".`, { cause: error }) };
  }
  const call = APICallError.isInstance(error) ? error : undefined;
  const status = call?.statusCode;
  // A status below 400 is that of an answer that broke off or could not be read.
  if (call === undefined || status === undefined || status < 400) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return { kind: "busy", error: new ModelUnavailable(`${url} does not answer: ${messageOf(cause)}.`, { cause: error }) };
  }
  if (status === 408 || status === 409 || status === 429 || status >= 500) {
    const after = waitOf(call.responseHeaders);
    const busy = { kind: "busy" as const, error: new ModelUnavailable(`${url} answers ${status}: ${call.message}`, { cause: error }) };
    return after === undefined ? busy : { ...busy, after };
  }
  if (/context|too long|too many tokens|maximum.{0,20}(tokens|length)/i.test(`${call.message} ${call.responseBody ?? ""}`)) {
    return { kind: "fatal", error: new ContextOverflow(`"${model}" says the input does not fit: ${call.message}`, { cause: error }) };
  }
  const ways: { readonly [status: number]: string } = {
    401: "Set the environment variable that keyVariable names to a valid key.",
    403: "Set the environment variable that keyVariable names to a key that may use this model.",
    404: "Check the url (it usually ends in /v1) and the model's name.",
  };
  const way = ways[status];
  const said = new UserError(
    `${url} refuses to answer as "${model}" (${status}: ${call.message}). ${way ?? "Change what the message names."}`,
    {
      cause: error,
    },
  );
  return { kind: way === undefined ? "refused" : "fatal", error: said };
}

/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3). */
function waitOf(headers: { readonly [name: string]: string } | undefined): number | undefined {
  const stated = headers?.["retry-after"];
  if (stated === undefined) return undefined;
  const seconds = Number(stated);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(stated) - Date.now();
  return Number.isFinite(wait) ? Math.min(longestWait, Math.max(0, wait)) : undefined;
}
