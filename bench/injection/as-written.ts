// The demo model asked as it must not be: whatever stands in a message is read as the template's own words, control tokens included.
import { chatTemplate } from "../../src/model/chat-template.ts";
import { llamaRuntime } from "../../src/model/llama-cpp-runtime.ts";
import { writeText } from "../../src/model/llama-cpp-generate.ts";
import { openSession } from "../../src/model/llama-cpp-session.ts";
import type { Decoding, Message } from "../../src/model.ts";

export interface AsWritten extends AsyncDisposable {
  tokens(messages: readonly Message[]): readonly number[];
  answer(messages: readonly Message[], decoding: Decoding): Promise<string>;
}

export async function openAsWritten({
  path,
  contextLength,
}: {
  readonly path: string;
  readonly contextLength: number;
}): Promise<AsWritten> {
  const { llama } = await llamaRuntime();
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  const session = await openSession({ model, contextLength, threads: 1 });
  const { tokens, fileInfo } = model;
  const template = chatTemplate({
    source: fileInfo.metadata.tokenizer?.chat_template,
    bosToken: tokens.bosString ?? "",
    eosToken: tokens.eosString ?? "",
  });
  const read = (messages: readonly Message[]): readonly number[] => model.tokenize(template.render(messages, true), true);
  return {
    tokens: read,
    answer: async (messages, decoding) => {
      const prompt = { shared: [], rest: read(messages), joint: "", end: tokens.eos! } as const;
      const { text } = await writeText({ session, model, prompt, request: { input: { kind: "chat", messages, shared: 0 }, decoding } });
      return text.trim();
    },
    [Symbol.asyncDispose]: async () => {
      await session[Symbol.asyncDispose]();
      await model.dispose();
    },
  };
}
