// How a model wants messages written: by the template in its own metadata, or as plain lines. Knows nothing of tokens.
import type { Message } from "../model.ts";
import { applyChatTemplate } from "../tokenizer/chat-template.ts";

export interface ChatTemplate {
  /** The messages as one text; `reply` adds the words that open the assistant's turn. */
  render(messages: readonly Message[], reply: boolean): string;
  /** What follows an assistant's message: the end of its turn. */
  readonly ending: string;
}

export interface ChatTemplateOptions {
  /** Jinja source (`tokenizer.chat_template`); a model without one reads plain "User: ... Assistant: ..." lines. */
  readonly source: string | undefined;
  readonly bosToken: string;
  readonly eosToken: string;
}

const plainSource = `{%- for message in messages -%}
{%- if message.role == "system" -%}{{ message.content + "\n\n" }}
{%- else -%}{{ ("User: " if message.role == "user" else "Assistant: ") + message.content + "\n" }}{%- endif -%}
{%- endfor -%}{%- if add_generation_prompt -%}{{ "Assistant:" }}{%- endif -%}`;

/** Throws `UserError` when the template is no Jinja, and from `render` when it refuses the messages. */
export function chatTemplate({ source = plainSource, bosToken, eosToken }: ChatTemplateOptions): ChatTemplate {
  // No date is given: templates then fall back to a fixed one, so the same messages always give the same text.
  const variables = { enable_thinking: false };
  const render = (messages: readonly Message[], reply: boolean): string =>
    applyChatTemplate(source, messages, { bosToken, eosToken, addGenerationPrompt: reply, variables });
  return { render, ending: endingOf(render) };
}

function endingOf(render: ChatTemplate["render"]): string {
  const mark = "answer-mark";
  const messages: Message[] = [
    { role: "user", content: "question" },
    { role: "assistant", content: mark },
  ];
  const text = render(messages, false);
  const at = text.lastIndexOf(mark);
  return at < 0 ? "" : text.slice(at + mark.length);
}
