import { defineConfig } from "vitest/config";

// Fast tests first; the tiers that load the real model or run the docs come after (see `npm test`).
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
