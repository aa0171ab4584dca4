/** `plimsoll replay --speed`: a recording on a page of its own, faster than life, with nothing kept. */
import { createApp } from "../app.ts";
import { createClock } from "../demo/clock.ts";
import { createReplaySource } from "../memory/replay.ts";
import { openStore } from "../store/client.ts";
import type { MemorySample } from "../types.ts";
import { PAGE_DIRECTORY, readVersion } from "./paths.ts";
import { serveUntilStopped } from "./serveUntilStopped.ts";
import { stderrLog } from "./stderrLog.ts";
import type { Settings } from "./settings.ts";
import { remark } from "./terminal.ts";

/** The sampler's shortest beat. */
const SHORTEST_INTERVAL_MS = 250;
const USUAL_INTERVAL_MS = 1000;

export async function playOnPage(parts: {
  name: string;
  samples: readonly MemorySample[];
  speed: number;
  settings: Settings;
}): Promise<number> {
  const { name, samples, speed, settings } = parts;
  const log = stderrLog(settings.config);
  const clock = createClock({ speed });
  const clocks = { now: () => Math.round(clock.now()), monotonic: clock.monotonic };
  const config = {
    ...settings.config,
    sampling: { intervalMs: Math.max(SHORTEST_INTERVAL_MS, Math.round(USUAL_INTERVAL_MS / speed)) },
    // A recording is shown, not sent.
    alerts: { ...settings.config.alerts, channels: [] },
  };
  const store = await openStore({ dataDir: ":memory:", ...clocks, log, retention: config.retention });
  const app = await createApp({
    config,
    store,
    ...clocks,
    log,
    version: readVersion(),
    memorySource: () => createReplaySource({ samples, name, ...clocks }),
    pageDirectory: PAGE_DIRECTORY,
    simulated: true,
  });
  const seconds = Math.round((samples.at(-1)?.takenAt ?? 0) / 1000 / speed);
  remark(
    `Playing ${name} at ${speed} times its speed: ${seconds} s. Memory is recorded, nothing is kept; stop with Ctrl-C.\n`,
  );
  return serveUntilStopped({
    app,
    store,
    settings: { ...settings, config, dataDir: ":memory:" },
    log,
  });
}
