// The body of a chat completion request -> what is asked. Knows nothing of candidates' names or how they answer.
import { z } from "zod";
import { transcript } from "../index.ts";
import { ProtocolError } from "./protocol-error.ts";

export interface ChatRequest {
  /** As the client named it. */
  readonly model: string;
  /** The input to the candidate. */
  readonly input: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly wantsJson: boolean;
  /** Parts of the request that the measured candidate decides itself, and that therefore change nothing. */
  readonly ignored: readonly string[];
}

const part = z.object({ type: z.literal("text"), text: z.string() });
const content = z.union([z.string(), z.array(part).transform((parts) => parts.map(({ text }) => text).join("\n"))], {
  error: "must be text, or a list of parts of type text",
});
const message = z.object({
  role: z.enum(["system", "developer", "user", "assistant"], {
    error: "must be system, developer, user or assistant: there are no tools here",
  }),
  content,
});
const none = (what: string) => z.array(z.unknown()).max(0, `must be left out: ${what}`).nullish();

const schema = z.looseObject({
  model: z.string().default("default"),
  messages: z.array(message).min(1, "must hold at least one message"),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  n: z.literal(1, { error: "must be 1: a candidate gives one answer" }).nullish(),
  logprobs: z.literal(false, { error: "must be false: probabilities of tokens are not served" }).nullish(),
  tools: none("candidates call no tools"),
  functions: none("candidates call no functions"),
  response_format: z.looseObject({ type: z.enum(["text", "json_object", "json_schema"]) }).nullish(),
});

/**
 * One user message is the input as it stands. Of several turns the input is what training and test examples with several turns look
 * like: `User: ...`, `Assistant: ...`, a turn a line, the last by the user. System messages are left out: the prompt that was measured
 * is the one that is served, and so is its decoding.
 * @throws {ProtocolError} 400 that names the field.
 */
export function readChatRequest(body: unknown): ChatRequest {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw badField(parsed.error.issues[0]!);
  const { model, messages, stream, stream_options: streamOptions, response_format: format } = parsed.data;
  const ignored = Object.keys(parsed.data).filter((name) => !(name in schema.shape));
  const turns = messages.flatMap(({ role, content: text }) => (role === "user" || role === "assistant" ? [{ role, content: text }] : []));
  const last = turns.at(-1);
  if (last?.role !== "user" || last.content.trim() === "") {
    throw new ProtocolError({
      status: 400,
      message: "The last message must be by the user and hold text: it is what is asked.",
      param: "messages",
    });
  }
  return {
    model,
    input: transcript(turns),
    stream: stream ?? false,
    includeUsage: streamOptions?.include_usage ?? false,
    wantsJson: (format?.type ?? "text") !== "text",
    ignored: turns.length < messages.length ? ["system messages", ...ignored] : ignored,
  };
}

function badField({ path, message: text }: z.core.$ZodIssue): ProtocolError {
  const param = path.map((step, at) => (typeof step === "number" ? `[${step}]` : `${at === 0 ? "" : "."}${String(step)}`)).join("");
  return new ProtocolError({
    status: 400,
    message: param === "" ? "The body must be a JSON object with messages." : `${param}: ${text}`,
    ...(param === "" ? {} : { param }),
  });
}
