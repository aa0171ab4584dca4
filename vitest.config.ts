import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/real/**", "test/browser/**", "test/clients/**"],
    pool: "forks",
    testTimeout: 20_000,
  },
});
