import fc from "fast-check";
import { expect, test } from "vitest";
import { placeLabels, type PlacedPoint } from "./place-labels.ts";
import { amountAxis, linearAxis } from "./scale.ts";

const size = { width: 900, height: 400, fontSize: 12 };
const point = fc
  .record({
    x: fc.double({ min: 0, max: 900, noNaN: true }),
    y: fc.double({ min: 40, max: 360, noNaN: true }),
    name: fc.string({ minLength: 1, maxLength: 40 }),
  })
  .map(({ x, y, name }): PlacedPoint => ({ x, y, top: y - 30, bottom: y + 30, texts: [name, "7"] }));

test("labels stay inside and never cover each other or a point", () => {
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 25 }), (points) => {
      const labels = placeLabels({ points, ...size }).map(({ text, x, y, align }) => {
        const width = text.length * size.fontSize * 0.56;
        return { left: align === "left" ? x : x - width, right: align === "left" ? x + width : x, top: y - 7.2, bottom: y + 7.2 };
      });
      for (const [index, a] of labels.entries()) {
        expect([a.left >= 0, a.right <= size.width, a.top >= 0, a.bottom <= size.height]).toEqual([true, true, true, true]);
        for (const b of labels.slice(index + 1))
          expect(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).toBe(false);
        for (const { x, y } of points) expect(x > a.left && x < a.right && y > a.top && y < a.bottom).toBe(false);
      }
    }),
    { seed: 1 },
  );
});

test("a name that does not fit gives way to the number, and the first in order is served first", () => {
  const wide: PlacedPoint = { x: 450, y: 200, top: 200, bottom: 200, texts: ["x".repeat(200), "1"] };
  expect(placeLabels({ points: [wide], ...size })).toEqual([{ index: 0, text: "1", x: 458, y: 200, align: "left" }]);
});

test("an axis holds its values and its ticks, in order", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-7, max: 1e6, noNaN: true })), { minLength: 1 }), (values) => {
      const axis = amountAxis(values);
      for (const value of [...values, ...axis.ticks]) {
        expect(axis.at(value)).toBeGreaterThanOrEqual(-1e-9);
        expect(axis.at(value)).toBeLessThanOrEqual(1 + 1e-9);
      }
      expect(axis.ticks).toEqual([...new Set(axis.ticks)].toSorted((a, b) => a - b));
      expect(axis.ticks.length).toBeGreaterThan(0);
      expect(axis.ticks.length).toBeLessThan(12);
    }),
    { seed: 1 },
  );
});

test("amounts over more than a decade stand on a logarithmic axis, others on a linear one from 0", () => {
  expect(amountAxis([0.001, 0.1])).toMatchObject({ type: "log", ticks: [0.001, 0.01, 0.1] });
  expect(amountAxis([2, 5])).toMatchObject({ type: "linear", domain: [0, 5.5], ticks: [0, 2, 4] });
  expect(linearAxis(0, 0.8).ticks).toEqual([0, 0.2, 0.4, 0.6, 0.8]);
});
