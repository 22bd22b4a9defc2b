import { expect, test } from "vitest";
import { learningCurveSvg } from "./learning-curve.ts";

const steps = Array.from({ length: 1000 }, (_, index) => ({ step: index + 1, loss: 4 / Math.sqrt(index + 1) }));

test("a learning curve is an SVG file that stands alone and says in words what it shows", async () => {
  const svg = await learningCurveSvg({
    steps,
    epochs: [
      { step: 500, validationLoss: 0.3 },
      { step: 1000, validationLoss: 0.35 },
    ],
  });
  expect(svg).toMatch(/^<svg[^>]* xmlns="http:\/\/www\.w3\.org\/2000\/svg"/u);
  expect(svg).not.toContain("var(--");
  expect(svg).toContain("<title>Training loss 4.000 to 0.126 in 1000 steps. Lowest validation loss 0.300, after step 500.</title>");
  expect(svg).toContain("loss a token, nats");
  expect(svg.length).toBeLessThan(20_000);
});

test("a run of one step, or one that has not begun, can be drawn", async () => {
  expect(await learningCurveSvg({ steps: steps.slice(0, 1), epochs: [{ step: 1 }] })).toContain("No validation loss.");
  expect(await learningCurveSvg({ steps: [], epochs: [] })).toContain("<title>No validation loss.</title>");
});
