import { defineConfig } from "vitest/config";

/** Against a real Ollama, named by PLIMSOLL_REAL_OLLAMA. One file at a time: two runners would slow each other down. */
export default defineConfig({
  test: {
    include: ["test/real/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
});
