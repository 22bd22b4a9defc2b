import { expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { applyChatTemplate, chatMl } from "./chat-template.ts";

const messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "{{ no template }}" },
];

test("ChatML, open for an answer and closed after one", () => {
  expect(applyChatTemplate(chatMl, messages)).toBe(
    "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{{ no template }}<|im_end|>\n<|im_start|>assistant\n",
  );
  expect(applyChatTemplate(chatMl, [...messages, { role: "assistant", content: "Yes." }])).toBe(
    "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{{ no template }}<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>\n",
  );
  expect(applyChatTemplate(chatMl, messages, { addGenerationPrompt: false })).not.toContain("assistant");
});

test("special tokens and variables reach the template", () => {
  const template = "{{ bos_token }}{% if thinking %}hm {% endif %}{% for m in messages %}{{ m.content | trim }}{{ eos_token }}{% endfor %}";
  expect(applyChatTemplate(template, messages, { bosToken: "<s>", eosToken: "</s>", variables: { thinking: true } })).toBe(
    "<s>hm Be brief.</s>{{ no template }}</s>",
  );
});

test.each([
  [
    "a template that is no Jinja",
    "{% for %}",
    /^The model's chat template fails on the roles system, user: .*Use other roles, a plain completion prompt, or another model\.$/,
  ],
  ["a template that refuses", "{{ raise_exception('System role not supported') }}", /System role not supported/],
])("%s is a one-line error", (_, template, message) => {
  expect(() => applyChatTemplate(template, messages)).toThrow(message);
  expect(() => applyChatTemplate(template, messages)).toThrow(UserError);
});
