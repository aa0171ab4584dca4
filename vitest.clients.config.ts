import { defineConfig } from "vitest/config";

/** Real client packages, installed by test/clients/install.ts. One at a time: each starts programs of its own. */
export default defineConfig({
  test: {
    include: ["test/clients/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
