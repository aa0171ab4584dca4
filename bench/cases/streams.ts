import { openPage } from "../machine/page.ts";
import { quantile } from "../report/stats.ts";
import type { Target } from "../targets/target.ts";
import type { Dialect } from "../wire/request.ts";
import { addDifferences, eachInTurn, type Bench, type BenchCase } from "./case.ts";
import { MIB, watchWhile } from "./watch.ts";

const INTERVAL_MS = 10;
/** Not counted at the start of each stream: a third of a second in which all connections open. */
const SKIP = 30;

/** How much later each chunk of a stream comes than without the target. */
export function streamsCase(name: string, streamCount: number, dialect: Dialect): BenchCase {
  return {
    name,
    dialect,
    title: `added delay per chunk, ${streamCount} ${streamCount === 1 ? "stream" : "streams"} of 100 chunks/s`,
    about:
      "Each chunk carries the time at which it was sent; its delay ends when the driver has read it. Added: percentile minus direct's of the same round. Merged: chunks per 1000 that came in one read with the one before. CPU: of all the target's processes.",
    metrics: [
      { id: "p50Ms", label: "p50, ms", decimals: 2 },
      { id: "addedP50Ms", label: "added p50, ms", decimals: 2, ratio: true },
      { id: "addedP99Ms", label: "added p99, ms", decimals: 2, ratio: true },
      { id: "mergedPerThousand", label: "merged, ‰", decimals: 1 },
      { id: "cpuMsPerThousand", label: "CPU, ms per 1000", decimals: 1, ratio: true },
      { id: "rssMiB", label: "RSS, MiB", decimals: 0 },
    ],
    async measure(targets, bench, { streamSeconds }) {
      const chunkCount = SKIP + Math.round((streamSeconds * 1000) / INTERVAL_MS);
      const round = await eachInTurn(targets, (target) =>
        measureOne(target, bench, { dialect, streamCount, chunkCount }),
      );
      return addDifferences(round, ["p50Ms", "p99Ms"]);
    },
  };
}

async function measureOne(
  target: Target,
  { driver, proc }: Bench,
  load: { dialect: Dialect; streamCount: number; chunkCount: number },
): Promise<Record<string, number>> {
  const page = target.pageOpen === true ? await openPage(target.port) : undefined;
  try {
    const { value, usage } = await watchWhile(proc, target, () =>
      driver.ask("runStreams", {
        port: target.port,
        fields: target.fields,
        ...load,
        intervalMs: INTERVAL_MS,
        skip: SKIP,
      }),
    );
    const thousands = (load.streamCount * load.chunkCount) / 1000;
    return {
      p50Ms: quantile(value.delaysMs, 0.5) ?? NaN,
      p99Ms: quantile(value.delaysMs, 0.99) ?? NaN,
      mergedPerThousand: (value.mergedCount / value.delaysMs.length) * 1000,
      ...(usage && { cpuMsPerThousand: usage.cpuMs / thousands, rssMiB: usage.rssMaxBytes / MIB }),
    };
  } finally {
    page?.close();
  }
}
