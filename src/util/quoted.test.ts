import fc from "fast-check";
import { expect, test } from "vitest";
import { quoted } from "./quoted.ts";

test("a plain name is quoted and no more", () => {
  expect(quoted("blk.0.attn_q.weight")).toBe('"blk.0.attn_q.weight"');
  expect(quoted("größer")).toBe('"größer"');
  expect(quoted("a\n\u001b\u2028")).toBe('"a\\n\\u001b\\u2028"');
});

test("any name is one short line; what is left of it can be read back", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "\\", '"', "\n", "\u0000", "\u2028", "\ud800", "é"), maxLength: 120 }), (name) => {
      const text = quoted(name);
      expect(text).toMatch(/^"[^\p{Cc}\u2028\u2029]{0,102}"$/u);
      const back = String(JSON.parse(text));
      expect(back === name || (back.endsWith("...") && name.startsWith(back.slice(0, -3)))).toBe(true);
    }),
  );
});
