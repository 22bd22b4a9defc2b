// A model input as token ids, cut where the shared prefix ends. Knows vocabularies only through an interface.
import type { ModelInput, TokenSequence } from "../model.ts";
import { type BreakNames, nameBreaker } from "../util/break-names.ts";
import type { ChatTemplate } from "./chat-template.ts";

/** What a runtime tells of its vocabulary. */
export interface Vocabulary {
  /** `special`: names of special tokens become those tokens. `first`: the text begins the sequence. */
  tokenize(text: string, options: { readonly special: boolean; readonly first: boolean }): number[];
  readonly bos: number | undefined;
  readonly prependBos: boolean;
  readonly eos: number;
  endsGeneration(token: number): boolean;
  /** Texts that `special` turns into tokens which steer the model: the ends of turns and the like. Some vocabularies know others as plain tokens, found whether `special` or not. */
  controlTexts(): readonly string[];
}

/** The shared prefix and the rest are tokenised apart, whether or not the prefix is reused, so reuse never changes a token. */
export interface PromptTokens {
  readonly shared: readonly number[];
  /** Never empty. */
  readonly rest: readonly number[];
  /** Stands between the prompt and what is written: a space after a plain text that ends in a word. */
  readonly joint: "" | " ";
  /** The token that ends the answer. */
  readonly end: number;
}

export interface PromptReader {
  read(input: ModelInput): PromptTokens;
  /** Tokens of an answer as it is written after the prompt, its end left out. */
  answer(prompt: PromptTokens, text: string): number[];
  sequence(input: ModelInput, completion: string): TokenSequence;
}

export function promptReader({ vocabulary, template }: { vocabulary: Vocabulary; template: ChatTemplate }): PromptReader {
  const end = { chat: turnEnd(vocabulary, template), completion: vocabulary.eos };
  const harmless = harmlessUnder({ vocabulary, template });
  const read = (input: ModelInput): PromptTokens => {
    const { shared: sharedText, rest: restText } = input.kind === "chat" ? chatParts(harmless.chat(input), template) : harmless.text(input);
    const special = input.kind === "chat";
    const shared = sharedText === "" ? [] : vocabulary.tokenize(sharedText, { special, first: true });
    const rest = restText === "" ? [] : vocabulary.tokenize(restText, { special, first: shared.length === 0 });
    const first = shared[0] ?? rest[0];
    if (vocabulary.bos !== undefined && first !== vocabulary.bos && (vocabulary.prependBos || first === undefined)) {
      (shared.length > 0 ? shared : rest).unshift(vocabulary.bos);
    }
    const joint = input.kind === "completion" && /\S$/.test(input.text) ? " " : "";
    if (rest.length > 0) return { shared, rest, joint, end: end[input.kind] };
    return { shared: [], rest: shared.length > 0 ? shared : [vocabulary.eos], joint, end: end[input.kind] };
  };
  const answer = (prompt: PromptTokens, text: string): number[] =>
    text === "" ? [] : vocabulary.tokenize(prompt.joint + text, { special: false, first: false });
  const sequence = (input: ModelInput, completion: string): TokenSequence => {
    const prompt = read(input);
    const tokens = [...prompt.shared, ...prompt.rest, ...answer(prompt, completion), prompt.end];
    return { tokens, promptLength: prompt.shared.length + prompt.rest.length };
  };
  return { read, answer, sequence };
}

/**
 * What is given is text, and ends no turn: names of control tokens in it are broken by an invisible space. In plain text nothing is read
 * as a control token but what the vocabulary finds everywhere, and of that only the template's marks steer.
 */
function harmlessUnder({ vocabulary, template }: { vocabulary: Vocabulary; template: ChatTemplate }) {
  // Reading the whole vocabulary takes a while.
  let inMessages: BreakNames | undefined;
  const inText = nameBreaker(template.marks);
  return {
    chat: (input: ModelInput & { kind: "chat" }): ModelInput & { kind: "chat" } => {
      const clean = (inMessages ??= nameBreaker([...vocabulary.controlTexts(), ...template.marks]));
      return { ...input, messages: input.messages.map(({ role, content }) => ({ role, content: clean(content) })) };
    },
    text: (input: ModelInput & { kind: "completion" }): Parts => {
      const { shared, rest } = textParts(input);
      return { shared: inText(shared), rest: inText(rest) };
    },
  };
}

interface Parts {
  readonly shared: string;
  readonly rest: string;
}

function chatParts(input: ModelInput & { kind: "chat" }, template: ChatTemplate): Parts {
  const text = template.render(input.messages, true);
  const shared = sharedText(input, template);
  return text.startsWith(shared) ? { shared, rest: text.slice(shared.length) } : { shared: "", rest: text };
}

/** Some templates refuse a system message alone, or put it into the user's turn: then nothing is shared. */
function sharedText({ messages, shared }: ModelInput & { kind: "chat" }, template: ChatTemplate): string {
  if (shared <= 0) return "";
  try {
    return template.render(messages.slice(0, shared), false);
  } catch {
    return "";
  }
}

function textParts({ text, shared }: ModelInput & { kind: "completion" }): Parts {
  return { shared: text.slice(0, Math.max(0, shared)), rest: text.slice(Math.max(0, shared)) };
}

/** The token a tuned model ends its turn with: what its template writes after an answer, where that ends generation. */
function turnEnd(vocabulary: Vocabulary, template: ChatTemplate): number {
  if (template.ending === "") return vocabulary.eos;
  const token = vocabulary.tokenize(template.ending, { special: true, first: false })[0];
  return token !== undefined && vocabulary.endsGeneration(token) ? token : vocabulary.eos;
}
