import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readEventLoop } from "../machine/eventLoop.ts";
import { launchHttpProxy } from "../targets/npmPackages.ts";
import { launchPlimsoll } from "../targets/plimsoll.ts";
import type { Launched, LaunchParts, Target } from "../targets/target.ts";
import { eachInTurn, type Bench, type BenchCase } from "./case.ts";

const STREAM_COUNT = 64;
const INTERVAL_MS = 10;
const PRELOAD = new URL("../eventLoopPreload.ts", import.meta.url).href;

/** How late the event loop of a target on Node runs under load. */
export const eventLoopCase: BenchCase = {
  name: "event-loop",
  dialect: "ollama",
  title: `event loop under ${STREAM_COUNT} streams of 100 chunks/s`,
  about:
    "A process of its own for each target on Node, with a 2 ms timer in it whose lateness is kept (`monitorEventLoopDelay`).",
  metrics: [
    { id: "p50Ms", label: "p50, ms", decimals: 2 },
    { id: "p99Ms", label: "p99, ms", decimals: 2 },
    { id: "maxMs", label: "max, ms", decimals: 1 },
  ],
  async ownTargets(bench) {
    const targets: Launched[] = [
      await launchPlimsoll({
        ...watched(bench, "plimsoll"),
        name: "plimsoll",
        label: "Plimsoll",
        recording: true,
      }),
    ];
    if (bench.packages !== undefined) {
      targets.push(await launchHttpProxy({ ...watched(bench, "http-proxy"), packages: bench.packages }));
    }
    targets.forEach((target) => bench.cleanup.add(() => target.stop()));
    return targets;
  },
  measure: (targets, bench, { streamSeconds }) =>
    eachInTurn(targets, async (target) => {
      const { port, fields, pid = 0 } = target;
      const file = fileOf(bench, target);
      await readEventLoop(pid, file);
      await bench.driver.ask("runStreams", {
        port,
        fields,
        dialect: "ollama",
        streamCount: STREAM_COUNT,
        chunkCount: Math.round((streamSeconds * 1000) / INTERVAL_MS),
        intervalMs: INTERVAL_MS,
        skip: 0,
      });
      return { ...(await readEventLoop(pid, file)) };
    }),
};

function watched(
  bench: Bench,
  name: string,
): LaunchParts & { nodeArguments: string[]; environment: Record<string, string> } {
  const directory = join(bench.directory, `${name}-event-loop`);
  mkdirSync(directory);
  return {
    upstreamPort: bench.upstreamPort,
    directory,
    nodeArguments: ["--import", PRELOAD],
    environment: { BENCH_EVENT_LOOP_FILE: join(directory, "event-loop.json") },
  };
}

function fileOf(bench: Bench, target: Target): string {
  return join(bench.directory, `${target.name}-event-loop`, "event-loop.json");
}
