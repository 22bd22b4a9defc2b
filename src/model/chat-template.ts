// Messages as the text a model was tuned to read, by the template in its own metadata. Knows nothing of tokens.
import { Template } from "@huggingface/jinja";
import { messageOf, UserError } from "../errors.ts";
import type { Message } from "../model.ts";

export interface ChatTemplate {
  /** The messages as one text; `reply` adds the words that open the assistant's turn. */
  render(messages: readonly Message[], reply: boolean): string;
  /** What follows an assistant's message: the end of its turn. */
  readonly ending: string;
}

export interface ChatTemplateOptions {
  /** Jinja source (`tokenizer.chat_template`); a model without one reads plain "User: ... Assistant: ..." lines. */
  readonly source: string | undefined;
  readonly bosText: string;
  readonly eosText: string;
  /** Names the model in errors. */
  readonly model: string;
}

const plainSource = `{%- for message in messages -%}
{%- if message.role == "system" -%}{{ message.content + "\n\n" }}
{%- else -%}{{ ("User: " if message.role == "user" else "Assistant: ") + message.content + "\n" }}{%- endif -%}
{%- endfor -%}{%- if add_generation_prompt -%}{{ "Assistant:" }}{%- endif -%}`;

/** Throws {@link UserError} when the template is no Jinja, and from `render` when the template refuses the messages. */
export function chatTemplate({ source = plainSource, bosText, eosText, model }: ChatTemplateOptions): ChatTemplate {
  const template = attempt(`The chat template of "${model}" cannot be read`, () => new Template(source));
  const render = (messages: readonly Message[], reply: boolean): string =>
    attempt(`The chat template of "${model}" refuses these messages (${messages.map(({ role }) => role).join(", ")})`, () =>
      // Without a date function templates fall back to a fixed date, so the same messages always give the same text.
      template.render({ messages, add_generation_prompt: reply, bos_token: bosText, eos_token: eosText, enable_thinking: false }),
    );
  return { render, ending: endingOf(render) };
}

function endingOf(render: ChatTemplate["render"]): string {
  const mark = "answer-mark";
  const text = render([{ role: "user", content: "question" }, { role: "assistant", content: mark }], false);
  const at = text.lastIndexOf(mark);
  return at < 0 ? "" : text.slice(at + mark.length);
}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const reason = messageOf(cause).split("\n", 1)[0];
    throw new UserError(`${what}: ${reason}. Use prompt.format "completion", or another model.`, { cause });
  }
}
