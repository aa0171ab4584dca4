import type { BurstWindows } from "../driver/bursts.ts";
import type { StreamsResult } from "../driver/streams.ts";
import { median, quantile } from "../report/stats.ts";
import { eachInTurn, type BenchCase } from "./case.ts";

const IMAGE_BYTES = 20_000_000;
const INTERVAL_MS = 10;
const STREAM_COUNT = 4;
const PAUSE_MS = 600;
/** Longest time that one burst is expected to take, for the streams to last. */
const BURST_MS = 400;
/** A body may be read after the answer has gone: chunks this long after still count as disturbed. */
const AFTERWORK_MS = 300;

/** How much one client's picture makes another client's tokens stutter. */
export const bigRequestCase: BenchCase = {
  name: "big-request",
  dialect: "ollama",
  title: "a 20 MB request beside running streams",
  about: `${STREAM_COUNT} streams of 100 chunks/s run while another process sends chats with a 20 MB base64 image, one at a time. Excess: delay of the chunks sent during such a request and ${AFTERWORK_MS} ms after it, minus the median of the undisturbed ones. Direct's row is what the machine alone does.`,
  metrics: [
    { id: "quietP50Ms", label: "undisturbed p50, ms", decimals: 2 },
    { id: "excessP99Ms", label: "excess p99, ms", decimals: 2, ratio: true },
    { id: "excessMaxMs", label: "excess max, ms", decimals: 2, ratio: true },
  ],
  measure: (targets, { driver, sideDriver }, { burstCount }) =>
    eachInTurn(targets, async (target) => {
      const { port, fields } = target;
      const [streams, windows] = await Promise.all([
        driver.ask("runStreams", {
          port,
          fields,
          dialect: "ollama",
          streamCount: STREAM_COUNT,
          chunkCount: Math.ceil(((PAUSE_MS + BURST_MS) * (burstCount + 1)) / INTERVAL_MS),
          intervalMs: INTERVAL_MS,
          skip: 10,
        }),
        sideDriver.ask("runBursts", {
          port,
          fields,
          dialect: "ollama",
          imageBytes: IMAGE_BYTES,
          count: burstCount,
          pauseMs: PAUSE_MS,
        }),
      ]);
      return excessOf(streams, windows);
    }),
};

/** Throws when no chunk was sent during a burst: there is then nothing to say. */
export function excessOf(
  { sentAtMs, delaysMs }: StreamsResult,
  windows: BurstWindows,
): Record<string, number> {
  const disturbed: number[] = [];
  const quiet: number[] = [];
  sentAtMs.forEach((sentMs, index) => {
    const during = windows.some(([fromMs, toMs]) => sentMs >= fromMs && sentMs <= toMs + AFTERWORK_MS);
    (during ? disturbed : quiet).push(delaysMs[index] ?? NaN);
  });
  const quietP50Ms = median(quiet);
  const worst = quantile(disturbed, 1);
  const late = quantile(disturbed, 0.99);
  if (quietP50Ms === undefined || worst === undefined || late === undefined) {
    throw new Error("no chunks were sent both during and outside of a large request");
  }
  return { quietP50Ms, excessP99Ms: late - quietP50Ms, excessMaxMs: worst - quietP50Ms };
}
