// Messages to the text that a model was taught, by the model's own Jinja template. Knows no tokenizer.
import { Template } from "@huggingface/jinja";
import { messageOf, UserError } from "../errors.ts";

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface ApplyChatTemplateOptions {
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** Ends with the opening of the assistant's turn (default: true when the last message is not the assistant's). */
  readonly addGenerationPrompt?: boolean;
  /** More variables of the template (`enable_thinking`, `tools`). */
  readonly variables?: { readonly [name: string]: unknown };
}

/** ChatML, the template of models trained from scratch here and of the SmolLM2 and Qwen families. */
export const chatMl =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/**
 * The text of a conversation under a chat template, special tokens written out.
 * @throws {UserError} when the template is no Jinja, or refuses these messages.
 */
export function applyChatTemplate(template: string, messages: readonly ChatMessage[], options: ApplyChatTemplateOptions = {}): string {
  const { bosToken = "", eosToken = "", addGenerationPrompt = messages.at(-1)?.role !== "assistant", variables = {} } = options;
  try {
    return new Template(template).render({
      ...variables,
      messages: messages.map(({ role, content }) => ({ role, content })),
      bos_token: bosToken,
      eos_token: eosToken,
      add_generation_prompt: addGenerationPrompt,
    });
  } catch (cause) {
    const roles = messages.map(({ role }) => role).join(", ");
    throw new UserError(
      `The model's chat template fails on the roles ${roles || "(none)"}: ${messageOf(cause).split("\n")[0]}. Use other roles, a plain completion prompt, or another model.`,
      { cause },
    );
  }
}
