import { eachInTurn, type BenchCase } from "./case.ts";
import { MIB, watchWhile } from "./watch.ts";

/** Slow enough to be called stuck: an upload may take as long as this many bytes a second allow. */
const SLOWEST_BYTES_PER_SECOND = 50e6;

/** Whether memory grows with what is uploaded. */
export const uploadCase: BenchCase = {
  name: "upload",
  dialect: "ollama",
  title: "a large blob",
  about:
    "One POST to /api/blobs of known length (4 GB, or --upload-bytes), after a small one to warm up. RSS growth: highest during the upload minus before it.",
  metrics: [
    { id: "megabytesPerSecond", label: "MB/s", decimals: 0 },
    { id: "rssBeforeMiB", label: "RSS before, MiB", decimals: 0 },
    { id: "rssGrowthMiB", label: "growth, MiB", decimals: 1 },
  ],
  once: true,
  measure: (targets, { driver, proc, uploadBytes }) =>
    eachInTurn(targets, async (target) => {
      const { port, fields } = target;
      const limitMs = 60_000 + (uploadBytes / SLOWEST_BYTES_PER_SECOND) * 1000;
      await driver.ask("runUpload", { port, fields, bytes: Math.min(uploadBytes, 200e6) });
      const { value: elapsedMs, usage } = await watchWhile(proc, target, () =>
        driver.ask("runUpload", { port, fields, bytes: uploadBytes }, limitMs),
      );
      return {
        megabytesPerSecond: uploadBytes / 1000 / elapsedMs,
        ...(usage && {
          rssBeforeMiB: usage.rssBeforeBytes / MIB,
          rssGrowthMiB: (usage.rssMaxBytes - usage.rssBeforeBytes) / MIB,
        }),
      };
    }),
};
