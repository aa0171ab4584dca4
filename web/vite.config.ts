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
 * What the page never reaches in uPlot, which hangs everything on one function, where no bundler may leave anything out: other ways of
 * drawing a series, the legend, scales of logarithms, selecting by dragging, words for dates, bands between series. A ninth of the page.
 */
const unusedInUplot = [
  "bars",
  "stepped",
  "splineInterp",
  "_monotoneCubic",
  "initLegendRow",
  "setLegend",
  "join",
  "rangeLog",
  "rangeAsinh",
  "logAxisSplits",
  "asinhAxisSplits",
  "log10AxisValsFilt",
  "log2AxisValsFilt",
  "timeAxisVals",
  "timeAxisVal",
  "timeSeriesVal",
  "timeAxisStamps",
  "clipBandLine",
  "bandFillClipDirs",
  "mouseDown",
  "mouseUp",
  "dblClick",
  "addSeries",
  "delSeries",
  "addBand",
  "delBand",
];

function withoutUnusedPaths(): Plugin {
  return {
    name: "without-unused-parts",
    transform(code, id) {
      if (!id.endsWith("uPlot.esm.js")) return null;
      let rest = code;
      for (const name of unusedInUplot) {
        const body = new RegExp(`^(\\t*)function ${name}\\((.*?)\\) \\{\\n[\\s\\S]*?^\\1\\}`, "m");
        if (!body.test(rest)) this.error(`uPlot has no function ${name} any more: adapt the list.`);
        rest = rest.replace(body, `$1function ${name}() { return []; }`);
      }
      return { code: rest, map: null };
    },
  };
}
