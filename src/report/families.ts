// Which family of techniques a chain belongs to. A total table over the steps there are; a step it does not know makes a chain combined.
import type { ReportCandidate } from "./schema.ts";

export const families = ["prompting", "retrieval", "fine-tuning", "training from scratch", "combined", "no language model"] as const;
export type Family = (typeof families)[number];

/** Steps that change nothing of how a candidate was adapted (dropping the retriever again) belong to none. */
export const familyOfStep: { readonly [step: string]: Family | null } = {
  "zero-shot": "prompting",
  "few-shot": "prompting",
  "knn-few-shot": "prompting",
  prompt: "prompting",
  "rag-tf-idf": "retrieval",
  "rag-bm25": "retrieval",
  "rag-dense": "retrieval",
  "rag-hybrid": "retrieval",
  "rag-convex": "retrieval",
  "tune-embeddings": "retrieval",
  summarise: "retrieval",
  compress: "retrieval",
  abstain: null,
  "closed-book": null,
  lora: "fine-tuning",
  full: "fine-tuning",
  raft: "fine-tuning",
  "tune-text": "fine-tuning",
  pretrain: "training from scratch",
  "tf-idf-linear": "no language model",
  "nearest-example": "no language model",
  "best-passage": "no language model",
  cascade: "combined",
  route: "combined",
};

export function familyOf({ strategy, kind }: Pick<ReportCandidate, "strategy" | "kind">): Family {
  if (kind === "classify") return "no language model";
  if (kind === "cascade" || kind === "route") return "combined";
  const steps = strategy.split(">").map((step) => step.trim());
  const found = new Set(
    steps
      .map((step) => (Object.hasOwn(familyOfStep, step) ? (familyOfStep[step] ?? null) : "combined"))
      .filter((family) => family !== null),
  );
  const [only] = found;
  return found.size === 1 && only !== undefined ? only : "combined";
}
