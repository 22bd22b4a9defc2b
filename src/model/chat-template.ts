// How a model wants messages written: by the template in its own metadata, or as plain lines. Knows nothing of tokens.
import type { Message } from "../model.ts";
import { applyChatTemplate } from "../tokenizer/chat-template.ts";
import { marksIn } from "./control-marks.ts";

export interface ChatTemplate {
  /** The messages as one text; `reply` adds the words that open the assistant's turn. */
  render(messages: readonly Message[], reply: boolean): string;
  /** What follows an assistant's message: the end of its turn. */
  readonly ending: string;
  /** What the template itself writes to part turns, and must not stand in a message. Whether they are tokens the vocabulary knows. */
  readonly marks: readonly string[];
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
  const text = render(sample, false);
  return { render, ending: endingOf(text), marks: marksIn(`${source}\n${text}`) };
}

const sampleAnswer = "answer-mark";
const sample: readonly Message[] = [
  { role: "user", content: "question" },
  { role: "assistant", content: sampleAnswer },
];

function endingOf(text: string): string {
  const at = text.lastIndexOf(sampleAnswer);
  return at < 0 ? "" : text.slice(at + sampleAnswer.length);
}
