// Runs a candidate on one input: retrieve, render, generate, decode. Knows nothing of metrics or of what the right answer is.
import {
  type Candidate,
  type CascadeCandidate,
  type ClassifyCandidate,
  type Demonstration,
  type GenerateCandidate,
  type RetrieverSettings,
  type RouteCandidate,
} from "../candidate.ts";
import type { Answer, Passage } from "../evaluation.ts";
import type { AdapterFile, LanguageModel, TokenCount } from "../model.ts";
import { fitPassages } from "../retriever/fit.ts";
import { classifyLinear, extractSentence } from "./classify.ts";
import { render, type Rendered } from "./render.ts";
import type { Resources } from "./resources.ts";
import { searchOptions } from "./search-options.ts";
import { summarise } from "./summarise.ts";

export interface AnswerOptions {
  readonly candidate: Candidate;
  readonly input: string;
  readonly resources: Resources;
  readonly seed?: number;
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
  readonly resources: Resources;
  readonly exclude?: Exclude;
  /** Passages chosen by the caller instead of by the retriever: RAFT's training contexts. */
  readonly passages?: readonly Passage[];
  readonly signal?: AbortSignal;
}

export interface Prepared {
  readonly rendered: Rendered;
  readonly passages: readonly Passage[];
  /** Spent before the answer is asked for: summaries of what was retrieved. */
  readonly tokens: TokenCount;
}

/** Retrieves, chooses demonstrations and renders: evaluation, serving, `ask` and training texts all come through here. */
export async function prepare({ candidate, input, resources, exclude, passages: given, signal }: PrepareOptions): Promise<Prepared> {
  const { retriever: settings } = candidate;
  const demonstrations = chooseDemonstrations({ candidate, input, resources, exclude });
  if (settings === undefined)
    return { rendered: render({ candidate, input, demonstrations }), passages: [], tokens: { input: 0, output: 0 } };
  const found = given ?? (await retrieve(settings, input, resources, async () => resources.model(candidate.model)));
  const passages = fitPassages(found, { budget: settings.budget, order: settings.order });
  if (settings.summarise === undefined)
    return { rendered: render({ candidate, input, demonstrations, passages }), passages, tokens: { input: 0, output: 0 } };
  const model = await resources.model(candidate.model);
  const summary = await summarise({ model, question: input, passages, maxTokens: settings.summarise.maxTokens, ...(signal && { signal }) });
  const rendered = render({ candidate, input, demonstrations, passages: [{ title: "Summary", text: summary.text }] });
  return { rendered, passages, tokens: summary.tokens };
}

/** Passages, best first. */
async function retrieve(
  settings: RetrieverSettings,
  input: string,
  resources: Resources,
  model?: () => Promise<LanguageModel>,
): Promise<Passage[]> {
  const retriever = await resources.retriever(settings);
  const queryMap = settings.queryMap && (await resources.queryMap(settings.queryMap));
  return retriever.search(input, await searchOptions({ ...settings, queryMap }, model));
}

function chooseDemonstrations(options: {
  candidate: GenerateCandidate;
  input: string;
  resources: Resources;
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

async function generate(candidate: GenerateCandidate, { input, resources, seed = 0, signal, onText }: AnswerOptions): Promise<Answer> {
  const started = performance.now();
  const model = await resources.model(candidate.model);
  const { rendered, passages, tokens } = await prepare({ candidate, input, resources, ...(signal && { signal }) });
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
    output: generation.text.trim(),
    passages,
    prompt: rendered.text,
    tokens: { input: tokens.input + generation.tokens.input, output: tokens.output + generation.tokens.output },
    seconds: (performance.now() - started) / 1000,
    finish: generation.finish,
    ...(confidence === undefined ? {} : { confidence: Math.exp(confidence) }),
  };
}

/** Artefact paths are relative to the task's store; a model wants the file. */
export async function adapterOf(
  candidate: GenerateCandidate,
  model: LanguageModel,
  resources: Resources,
): Promise<{ adapter?: AdapterFile }> {
  if (candidate.adapter === undefined) return {};
  return { adapter: model.local ? { ...candidate.adapter, path: await resources.store.path(candidate.adapter.path) } : candidate.adapter };
}

const noTokens: TokenCount = { input: 0, output: 0 };

async function classify({ classifier }: ClassifyCandidate, { input, resources }: AnswerOptions): Promise<Answer> {
  const started = performance.now();
  const done = (output: string, confidence: number, passages: readonly Passage[] = []): Answer => {
    const seconds = (performance.now() - started) / 1000;
    return { output, confidence, passages, prompt: input, tokens: noTokens, seconds, finish: "stop" };
  };
  if (classifier.kind === "linear") {
    const { output, confidence } = classifyLinear(classifier, input);
    return done(output, confidence);
  }
  if (classifier.kind === "nearest") {
    const [best] = resources.nearest(classifier.pool).search(input, 1, () => false);
    return done(best === undefined ? "" : classifier.pool[best.index]!.output, Math.min(1, Math.max(0, best?.score ?? 0)));
  }
  const { retriever: settings, abstention } = classifier;
  const found = await retrieve(settings, input, resources);
  const passages = fitPassages(found, { budget: settings.budget, order: "best-first" });
  const score = passages[0]?.score ?? 0;
  if (abstention !== undefined && score < abstention.threshold) return done(abstention.text, 1, passages);
  return done(extractSentence(input, passages), score / (1 + Math.abs(score)), passages);
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
