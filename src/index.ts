// What the package exports, by name. The command line and the server use nothing else.
export { compare, type CompareEvent, type CompareOptions, type CompareResult, plan } from "./adapt.ts";
export type { Environment } from "./answer/open.ts";
export { type Provider, providers } from "./runtime/protocol.ts";
export {
  ABSTENTION,
  type AskIndexOptions,
  type Asking,
  type CitedSource,
  type IndexAnswer,
  openAsking,
  type OpenAskingOptions,
} from "./ask-index.ts";
export type { Artefact, Candidate, CandidateModel, Manifest, Prompt, RetrieverSettings, Scorer } from "./candidate.ts";
export type { EffortName, Plan, PlanEntry } from "./compare/plan.ts";
export { type ContinueEvent, type ContinueOptions, continuePretraining, type ContinueResult } from "./continue-pretraining.ts";
export { readDocuments, type ReadDocuments, type ReadDocumentsOptions } from "./document/read-all.ts";
export { messageOf, UserError } from "./errors.ts";
export { type Answer, dayNamed, type Evaluation, type Metric, type Passage, pagesNamed, type Row } from "./evaluation.ts";
export { indexDocuments, type IndexDocumentsOptions, type IndexEvent, type IndexResult } from "./index-documents.ts";
export { initTask, type InitTask } from "./init.ts";
export { createMetric, metricNames } from "./metric/metrics.ts";
export { mediaNames } from "./media/formats.ts";
export { readMedia } from "./media/read-media.ts";
export { ContextOverflow, type LanguageModel, type Media, type MediaKind, type ModelReference, ModelUnavailable } from "./model.ts";
export { catalogue, type CatalogueEntry } from "./model/catalogue.ts";
export { type FetchEvent, fetchModel } from "./model/fetch-model.ts";
export { defaultModelsFolder, type ListedModel, listModels, removeModel } from "./model/model-files.ts";
export { pretrain, type PretrainEvent, type PretrainOptions, type PretrainPlan, type PretrainResult } from "./pretrain.ts";
export { type Advice, advise } from "./report/advise.ts";
export { openReport } from "./report/open.ts";
export { type Report, reportSchema } from "./report/schema.ts";
export { terminalAdvice, terminalReport } from "./report/terminal.ts";
export type { ChunkMethod, ChunkOptions } from "./retriever/chunk.ts";
export { type Condition, type Metadata, parseCondition } from "./retriever/metadata.ts";
export type { IndexStats } from "./retriever/open-index.ts";
export {
  passageForModel,
  passageOutput,
  type PassageOutput,
  searchInput,
  type SearchInput,
  searchOutput,
  searchTool,
  type SearchTool,
  type SearchToolOptions,
  whereInput,
} from "./search-tool.ts";
export { openSearchIndex, type OpenSearchIndexOptions, type SearchIndex, type SearchIndexOptions } from "./search-index.ts";
export {
  type SynthesisEvent,
  type SyntheticExample,
  syntheticQuestions,
  type SyntheticQuestionsOptions,
} from "./synthesis/synthetic-questions.ts";
export { type SynthesizeEvent, synthesizeExamples, type SynthesizeOptions } from "./synthesize.ts";
export { type AskOptions, openServed, type OpenServedOptions, type Served, type ServedAnswer } from "./served.ts";
export { strategies } from "./strategy/registry.ts";
export { transcript, type Turn } from "./util/transcript.ts";
export type { Sample } from "./sample.ts";
export type { Strategy } from "./strategy/strategy.ts";
export type {
  Constraints,
  Document,
  DocumentSource,
  Evidence,
  Example,
  LabelledExample,
  Objective,
  OutputKind,
  Place,
  Task,
  Usage,
} from "./task.ts";
export type { EpochEvent, EpochLoss, StepEvent, TrainingRecord } from "./train/events.ts";
export { tune, type TuneEvent, type TuneMethod, type TuneOptions, type TuneReasons, type TuneResult, type TuneSettings } from "./tune.ts";
export { watchDocuments, type WatchDocumentsOptions, type WatchEvent } from "./watch-documents.ts";
export { openWorkspace, type Workspace } from "./workspace.ts";
