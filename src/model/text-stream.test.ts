import fc from "fast-check";
import { expect, test } from "vitest";
import { textStream } from "./text-stream.ts";

function run(pieces: readonly string[], stop: readonly string[]): { sent: string[]; text: string } {
  const sent: string[] = [];
  const stream = textStream({ stop, onText: (piece) => sent.push(piece) });
  let written = "";
  for (const piece of pieces) {
    written += piece;
    if (stream.update(written)) break;
  }
  return { text: stream.finish(), sent };
}

test("what is handed on adds up to the trimmed text before the first stop string", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", " ", "\n"), maxLength: 4 });
  fc.assert(
    fc.property(fc.array(letters), fc.array(letters, { maxLength: 2 }), (pieces, stop) => {
      const { text, sent } = run(pieces, stop);
      const whole = pieces.join("").trimStart();
      const ends = stop
        .filter((one) => one !== "")
        .map((one) => whole.indexOf(one))
        .filter((at) => at >= 0);
      expect(text).toBe(whole.slice(0, Math.min(whole.length, ...ends)).trimEnd());
      expect(sent.join("")).toBe(text);
    }),
  );
});

test("what may yet become a stop string is held back", () => {
  expect(run(["One", "\n", "Que", "stion", ": two"], ["\nQuestion:"])).toEqual({ text: "One", sent: ["One"] });
  expect(run(["One", "\n", "Que", "st"], ["\nQuestion:"])).toEqual({ text: "One\nQuest", sent: ["One", "\nQuest"] });
});

test("a character is handed on when all its bytes are there", () => {
  const sent: string[] = [];
  const stream = textStream({ stop: [], onText: (piece) => sent.push(piece) });
  for (const text of ["caf", "caf\uFFFD", "café"]) stream.update(text);
  expect(stream.finish()).toBe("café");
  expect(sent).toEqual(["caf", "é"]);
});
