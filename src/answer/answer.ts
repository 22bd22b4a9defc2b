// Runs a candidate on one input: retrieve, render, generate, decode. Knows nothing of metrics or of what the right answer is.
import {
  type Candidate,
  type CascadeCandidate,
  type Classifier,
  type ClassifyCandidate,
  type Demonstration,
  type GenerateCandidate,
  type RetrieverSettings,
  type RouteCandidate,
} from "../candidate.ts";
import type { Answer, Passage } from "../evaluation.ts";
import type { AdapterFile, LanguageModel, TokenCount } from "../model.ts";
import { fitPassages } from "../retriever/fit.ts";
import { classifyLinear } from "./classify.ts";
import { compress } from "./compress.ts";
import { embedder } from "./embedder.ts";
import { quote } from "./quote.ts";
import { render, type Rendered } from "./render.ts";
import type { AnswerResources } from "./resources.ts";
import { abstains, retrieve } from "./retrieve.ts";
import { summarise } from "./summarise.ts";

export interface AnswerOptions {
  readonly candidate: Candidate;
  readonly input: string;
  readonly resources: AnswerResources;
  readonly seed?: number;
  /** Whether summaries made before may be used. Default: true. */
  readonly cached?: boolean;
  readonly signal?: AbortSignal;
  readonly onText?: (piece: string) => void;
}

/**
 * The candidate's answer.
 * @throws {ContextOverflow} when the input does not fit. {ModelUnavailable} when a server did not answer.
 */
export function answer(options: AnswerOptions): Promise<Answer> {
  const { candidate } = options;
  switch (candidate.kind) {
    case "generate":
      return generate(candidate, options);
    case "classify":
      return classify(candidate, options);
    case "cascade":
      return cascade(candidate, options);
    case "route":
      return route(candidate, options);
  }
}

/** Leaves an example itself, and its group, out of what it is shown: for training texts. */
export interface Exclude {
  readonly id: string;
  readonly group?: string;
}

export interface PrepareOptions {
  readonly candidate: GenerateCandidate;
  readonly input: string;
  readonly resources: AnswerResources;
  readonly exclude?: Exclude;
  /** Passages chosen by the caller instead of by the retriever: RAFT's training contexts. */
  readonly passages?: readonly Passage[];
  /** Whether summaries made before may be used. Default: true. */
  readonly cached?: boolean;
  readonly signal?: AbortSignal;
}

export interface Prepared {
  readonly rendered: Rendered;
  /** As they are numbered in the prompt. */
  readonly passages: readonly Passage[];
  /** What was searched for, where not the input itself. */
  readonly query?: string;
  /** Spent before the answer is asked for: summaries of what was retrieved. */
  readonly tokens: TokenCount;
  /** What is said in place of an answer, where what was retrieved is too far from the question. */
  readonly abstention?: string;
}

const noTokens: TokenCount = { input: 0, output: 0 };

/** Retrieves, chooses demonstrations and renders: evaluation, serving, `ask` and training texts all come through here. */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const { candidate, input, resources, exclude, passages: given, signal } = options;
  const { retriever: settings } = candidate;
  const demonstrations = chooseDemonstrations({ candidate, input, resources, exclude });
  const composed = (passages?: readonly Pick<Passage, "title" | "text">[]): Rendered =>
    render({ candidate, input, demonstrations, passages });
  if (settings === undefined) return { rendered: composed(), passages: [], tokens: noTokens };
  const model = async (): Promise<LanguageModel> => resources.model(candidate.model);
  const { query, passages: found } =
    given === undefined ? await retrieve({ settings, input, resources, model, signal }) : { query: input, passages: given };
  const asked = query === input ? {} : { query };
  const { embedding } = settings;
  const abstention =
    given === undefined
      ? await abstains(candidate.abstention, { question: query, passages: found, embedding, resources, signal })
      : undefined;
  if (abstention !== undefined) return { rendered: composed([]), passages: found, tokens: noTokens, ...asked, abstention };
  const opened = await model();
  const budget = Math.min(settings.budget, roomFor(composed([]), opened, candidate.decoding.maxTokens));
  const count = (text: string): number => opened.countTokens(text);
  const fitted = fitPassages(found, { budget, order: settings.order, count });
  const { passages, shown, tokens } = await shorten({ ...options, settings, query, passages: fitted, model: opened });
  return { rendered: composed(shown), passages, tokens, ...asked };
}

/** Tokens beside the passages themselves: their numbers and titles, and what marks turns. */
const MARGIN = 64;

/** Tokens of passages that the model's context has room for, beside the rest of the prompt and the longest answer. */
function roomFor(bare: Rendered, model: LanguageModel, maxTokens: number): number {
  return Math.max(0, model.contextLength - maxTokens - model.countTokens(bare.text) - MARGIN);
}

interface Shortened {
  readonly passages: readonly Passage[];
  readonly shown: readonly Pick<Passage, "title" | "text">[];
  readonly tokens: TokenCount;
}

/** The passages as the settings have them shown: whole, their best sentences, or a summary. */
async function shorten(
  options: PrepareOptions & { settings: RetrieverSettings; query: string; passages: readonly Passage[]; model: LanguageModel },
): Promise<Shortened> {
  const { settings, query, passages, model, resources, cached = true, signal } = options;
  if (settings.summarise !== undefined) {
    const store = cached ? resources.store.scope("summaries") : undefined;
    const summary = await summarise({ model, question: query, passages, maxTokens: settings.summarise.maxTokens, store, signal });
    return { passages, shown: [{ title: "Summary", text: summary.text }], tokens: summary.tokens };
  }
  if (settings.compress === undefined) return { passages, shown: passages, tokens: noTokens };
  const kept = await compress({
    question: query,
    passages,
    tokens: settings.compress.tokens,
    count: (text) => model.countTokens(text),
  });
  const shown = kept.passages.map(({ title }, index) => ({ title, text: kept.texts[index]! }));
  return { passages: kept.passages, shown, tokens: noTokens };
}

function chooseDemonstrations(options: {
  candidate: GenerateCandidate;
  input: string;
  resources: AnswerResources;
  exclude: Exclude | undefined;
}): readonly Demonstration[] {
  const { demonstrations } = options.candidate.prompt;
  const excluded = (one: Demonstration): boolean =>
    options.exclude !== undefined && (one.id === options.exclude.id || (one.group !== undefined && one.group === options.exclude.group));
  if (demonstrations.kind === "none") return [];
  if (demonstrations.kind === "fixed") return demonstrations.examples.filter((one) => !excluded(one));
  const { pool, count, order } = demonstrations;
  const nearest = options.resources.nearest(pool).search(options.input, count, (index) => excluded(pool[index]!));
  const chosen = nearest.map(({ index }) => pool[index]!);
  return order === "nearest-last" ? chosen.toReversed() : chosen;
}

async function generate(candidate: GenerateCandidate, options: AnswerOptions): Promise<Answer> {
  const { input, resources, seed = 0, cached = true, signal, onText } = options;
  const started = performance.now();
  const prepared = await prepare({ candidate, input, resources, cached, ...(signal && { signal }) });
  const { rendered, passages, tokens, query, abstention } = prepared;
  const said = { passages, prompt: rendered.text, ...(query !== undefined && { query }) };
  if (abstention !== undefined) {
    onText?.(abstention);
    return { ...said, output: abstention, tokens, seconds: secondsSince(started), finish: "stop", abstained: true };
  }
  const model = await resources.model(candidate.model);
  const generation = await model.generate({
    input: rendered.input,
    decoding: rendered.decoding,
    seed,
    ...(await adapterOf(candidate, model, resources)),
    ...(signal && { signal }),
    ...(onText && { onText }),
  });
  const confidence = generation.labels === undefined ? generation.confidence : Math.max(...Object.values(generation.labels));
  return {
    ...said,
    output: generation.text.trim(),
    tokens: { input: tokens.input + generation.tokens.input, output: tokens.output + generation.tokens.output },
    seconds: secondsSince(started),
    finish: generation.finish,
    ...(confidence === undefined ? {} : { confidence: Math.exp(confidence) }),
  };
}

const secondsSince = (started: number): number => (performance.now() - started) / 1000;

/** Artefact paths are relative to the task's store; a model wants the file. */
export async function adapterOf(
  candidate: GenerateCandidate,
  model: LanguageModel,
  resources: AnswerResources,
): Promise<{ adapter?: AdapterFile }> {
  if (candidate.adapter === undefined) return {};
  return { adapter: model.local ? { ...candidate.adapter, path: await resources.store.path(candidate.adapter.path) } : candidate.adapter };
}

async function classify({ classifier }: ClassifyCandidate, options: AnswerOptions): Promise<Answer> {
  const { input, resources } = options;
  const started = performance.now();
  const done = (output: string, confidence: number, passages: readonly Passage[] = []): Answer => ({
    output,
    confidence,
    passages,
    prompt: input,
    tokens: noTokens,
    seconds: secondsSince(started),
    finish: "stop",
  });
  if (classifier.kind === "linear") {
    const { output, confidence } = classifyLinear(classifier, input);
    return done(output, confidence);
  }
  if (classifier.kind === "nearest") {
    const [best] = resources.nearest(classifier.pool).search(input, 1, () => false);
    return done(best === undefined ? "" : classifier.pool[best.index]!.output, Math.min(1, Math.max(0, best?.score ?? 0)));
  }
  return { ...(await extract(classifier, options)), seconds: secondsSince(started) };
}

/** The sentences that answer best, as they stand. */
async function extract(
  { retriever: settings, sentences = 1, model, abstention }: Classifier & { readonly kind: "extract" },
  { input, resources, signal }: AnswerOptions,
): Promise<Omit<Answer, "seconds">> {
  const reader = model && { model: async () => resources.model(model) };
  const { query, passages: found } = await retrieve({ settings, input, resources, signal, ...reader });
  const passages = fitPassages(found, { budget: settings.budget, order: "best-first" });
  const said = { passages, prompt: input, tokens: noTokens, finish: "stop", ...(query !== input && { query }) } as const;
  const { embedding } = settings;
  const output = await abstains(abstention, { question: query, passages, embedding, resources, signal });
  if (output !== undefined) return { ...said, output, confidence: 1, abstained: true };
  const embed = embedding === undefined ? undefined : await embedder(embedding, resources);
  const quotes = await quote({ question: query, passages, most: sentences, embed, signal });
  const score = passages[0]?.score ?? 0;
  return { ...said, output: quotes.join(" "), confidence: score / (1 + Math.abs(score)) };
}

async function cascade({ first, second, threshold }: CascadeCandidate, options: AnswerOptions): Promise<Answer> {
  const { onText, ...quiet } = options;
  const cheap = await answer({ ...quiet, candidate: first });
  if ((cheap.confidence ?? 0) >= threshold) {
    onText?.(cheap.output);
    return cheap;
  }
  const better = await answer({ ...options, candidate: second });
  const tokens = { input: cheap.tokens.input + better.tokens.input, output: cheap.tokens.output + better.tokens.output };
  return { ...better, tokens, seconds: cheap.seconds + better.seconds };
}

async function route({ router, candidates }: RouteCandidate, options: AnswerOptions): Promise<Answer> {
  const { output } = classifyLinear(router, options.input);
  return answer({ ...options, candidate: candidates[output]! });
}
