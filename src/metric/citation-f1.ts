// Whether the passages an answer cites, as [1] or [2, 3], are the ones that hold the answer.
import type { Metric, MetricFactory, Passage, Prediction } from "../evaluation.ts";
import { f1OfCounts } from "./f1.ts";
import { foundAt } from "./evidence.ts";

/**
 * Precision is the share of cited passages that hold gold evidence, recall the share of evidence that the cited passages hold
 * (the two sides of ALCE's citation quality, Gao et al. 2023, with gold evidence in the place of an entailment model). Statistics
 * are `[supported citations, citations, evidence held, evidence]`, the score the F1 of their sums. `[n]` is the n-th passage shown.
 */
export const citationF1: MetricFactory = (): Metric => ({
  name: "citation-f1",
  higherIsBetter: true,
  proportion: false,
  statistics,
  worst: ({ evidence = [] }) => [0, 1, 0, evidence.length],
  value: (sums) => {
    const [supported = 0, cited = 0, held = 0, gold = 0] = [sums[0], sums[1], sums[2], sums[3]];
    if (cited + gold === 0) return f1OfCounts(0, 0, 0);
    const precision = cited === 0 ? 0 : supported / cited;
    const recall = gold === 0 ? 0 : held / gold;
    return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  },
  reason: (prediction) => {
    const [supported = 0, cited = 0, held = 0, gold = 0] = statistics(prediction);
    return `${supported} of ${cited} citations hold evidence, ${held} of ${gold} gold passages cited`;
  },
});

function statistics({ example, output, passages }: Prediction): readonly number[] {
  const numbers = citations(output);
  const cited = numbers.flatMap((number) => passages[number - 1] ?? []);
  const evidence = example.evidence ?? [];
  const supports = (passage: Passage): boolean => evidence.some((one) => overlaps(passage, one));
  return [
    cited.filter(supports).length,
    numbers.length,
    evidence.filter((one) => foundAt(one, cited) !== undefined).length,
    evidence.length,
  ];
}

function overlaps(passage: Passage, evidence: { document: string; start: number; end: number }): boolean {
  return passage.document === evidence.document && passage.start < evidence.end && evidence.start < passage.end;
}

const MARK = String.raw`\[\d{1,3}(?:\s*,\s*\d{1,3})*\]`;
const MARKS = new RegExp(String.raw`\s*${MARK}`, "gu");
const BEHIND = new RegExp(String.raw`([.!?]["'”’)]?)((?:\s*${MARK})+)`, "gu");

/** The answer with citations that stand behind a sentence's end moved before it, where they belong to the sentence. */
export const citationsInside = (answer: string): string => answer.replaceAll(BEHIND, "$2$1 ");

export const withoutCitations = (text: string): string => text.replaceAll(MARKS, "").trim();

/** The distinct passage numbers an answer cites: `[1]`, `[2, 3]`, `[1][4]`. */
export function citations(text: string): readonly number[] {
  const found = Array.from(text.matchAll(/\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g), ([, list = ""]) => list.split(",").map(Number));
  return [...new Set(found.flat())];
}
