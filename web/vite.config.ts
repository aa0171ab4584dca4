import { defineConfig } from "vite";
import type { Plugin } from "vite";

export default defineConfig({
  root: "web",
  // The page lives under a prefix, and may one day lie behind another.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [withoutUnusedPaths()],
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    target: "es2023",
    // The first with light-dark(); for older ones it would be spelled out twice.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // The content policy knows files only: nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

/**
 * Drops the ways of drawing a series that the page never uses. uPlot hangs them on its class, where no bundler may leave them out, and
 * they are a twentieth of the whole page.
 */
function withoutUnusedPaths(): Plugin {
  const unused = /\(paths\.(?:stepped|bars|spline)\s*= \w+\);/g;
  return {
    name: "without-unused-paths",
    transform(code, id) {
      if (!id.endsWith("uPlot.esm.js")) return null;
      if (code.match(unused)?.length !== 3)
        this.error("uPlot names its path builders differently now: adapt this plugin.");
      return { code: code.replace(unused, ""), map: null };
    },
  };
}
