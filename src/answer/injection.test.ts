// The attacks of `bench -- injection`, as far as a prompt alone can answer for them: where passages begin and end, and who speaks.
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { breakKnownMarks } from "../model/control-marks.ts";
import type { Decoding } from "../model.ts";
import { render } from "./render.ts";

interface Attack {
  readonly kind: string;
  readonly title?: string;
  readonly text: string;
}

const text = await readFile(new URL("../../bench/injection/attacks.jsonl", import.meta.url), "utf8");
const attacks = text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Attack]));
const prompt = {
  instruction: "Answer.",
  demonstrations: { kind: "none" },
  listLabels: false,
  inputPrefix: "Question: ",
  outputPrefix: "Answer:",
} as const;
const decoding: Decoding = { constraint: { kind: "free" }, maxTokens: 8, temperature: 0, stop: [] };

test("there are attacks of many kinds", () => {
  expect(attacks.length).toBeGreaterThanOrEqual(40);
  expect(new Set(attacks.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(12);
});

test.each(["chat", "message", "completion"] as const)("in %s prompts no attack begins a passage, asks or answers", (format) => {
  const frame = (line: string): boolean => /^\s*(?:\[\s*\d+\s*\]|question:|answer:)/iu.test(line);
  const framed = (passages: readonly { title: string; text: string }[]): number => {
    const rendered = render({ candidate: { prompt: { ...prompt, format }, decoding }, input: "When?", passages, demonstrations: [] });
    return rendered.text.split(/[\n\v\f\r\u0085\u2028\u2029]/).filter(frame).length;
  };
  const harmless = framed([{ title: "Hours", text: "At eight." }]);
  for (const { title = "Notes", text: attack } of attacks) {
    const filled = attack.replaceAll("{question}", "When?").replaceAll("{title}", "Hours");
    expect(framed([{ title: title.replaceAll("{title}", "Hours"), text: filled }])).toBe(harmless);
  }
});

test("no attack leaves a mark of a known template whole on its way to a server", () => {
  const mark = /<\|[^|<>]+\|>|<｜[^｜<>]+｜>|<\/?s>|\[\/?INST\]|<(?:start|end)_of_turn>|<\/?tool_(?:call|response)>|<\/?think>/u;
  expect(attacks.some((attack) => mark.test(attack.text))).toBe(true);
  for (const attack of attacks) expect(breakKnownMarks(`${attack.title ?? ""} ${attack.text}`)).not.toMatch(mark);
});
