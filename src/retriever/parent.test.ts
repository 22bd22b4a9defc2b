import fc from "fast-check";
import { expect, test } from "vitest";
import { type Unit, unitAround, units } from "./parent.ts";

const text = `Before any heading.

# One

First words.

## Inner

Inner words.

# Two

Last words.
`;
const around = (piece: string, unit: Unit): string => {
  const start = text.indexOf(piece);
  const span = unitAround(text, { start, end: start + piece.length }, unit);
  return text.slice(span.start, span.end);
};

test("a section goes from the last heading to the next that is as strong", () => {
  expect(around("Before", "section")).toBe("Before any heading.");
  expect(around("First words", "section")).toBe("# One\n\nFirst words.\n\n## Inner\n\nInner words.");
  expect(around("Inner words", "section")).toBe("## Inner\n\nInner words.");
  expect(around("Last words", "section")).toBe("# Two\n\nLast words.");
});

test("a passage over several sections keeps all of itself", () => {
  expect(around("Inner words.\n\n# Two", "section")).toBe("## Inner\n\nInner words.\n\n# Two\n\nLast words.");
});

test("the document is all of the text", () => {
  expect(around("Inner", "document")).toBe(text.trim());
});

test("any unit of any span holds the span, without space at its ends", () => {
  const line = fc.oneof(fc.constantFrom("", "# A", "## B", "### C", "```", "- x"), fc.lorem({ maxCount: 4 }));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), fc.nat(), fc.nat(), fc.constantFrom(...units), (lines, a, b, unit) => {
      const words = [...lines.join("\n").matchAll(/\S+/gu)];
      fc.pre(words.length > 0);
      const [first, last] = [a % words.length, b % words.length].sort((x, y) => x - y) as [number, number];
      const span = { start: words[first]!.index, end: words[last]!.index + words[last]![0].length };
      const found = unitAround(lines.join("\n"), span, unit);
      expect(found.start).toBeLessThanOrEqual(span.start);
      expect(found.end).toBeGreaterThanOrEqual(span.end);
      const slice = lines.join("\n").slice(found.start, found.end);
      expect(slice).toBe(slice.trim());
    }),
  );
});
