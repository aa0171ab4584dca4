/** What the program is built from, and what it is once it runs. */
import type { Server } from "node:http";
import type { Programs } from "./alerts/channels/desktop.ts";
import type { Config } from "./config.ts";
import type { MemorySource } from "./memory/sampler.ts";
import type { Store } from "./store/api.ts";
import type { Log, Machine, RunnerProcess, Snapshot } from "./types.ts";

export interface AppParts {
  config: Config;
  store: Store;
  now: () => number;
  monotonic: () => number;
  log: Log;
  version: string;
  /** Absent: memory is not read at all. Called once, with what only the rest of the program knows. */
  memorySource?: (hooks: { weightsInUse: (runner: RunnerProcess) => boolean }) => MemorySource;
  /** What the machine is made of; asked once, after the start. */
  readMachine?: () => Promise<Machine>;
  /** Where the built page lies. */
  pageDirectory?: string;
  /** Processor time used so far, for the sampler to keep itself cheap. */
  cpuTimeMs?: () => number;
  /** For the alert channels that start one. */
  programs?: Programs;
  /** The upstream or the machine is simulated: said on the page. */
  simulated?: boolean;
}

export interface App {
  server: Server;
  /** Listens and begins to watch. Rejects when the port is taken; answers whether the upstream is ourselves. */
  listen(): Promise<{ upstreamIsOurselves: boolean }>;
  snapshot(): Snapshot;
  /** Stops accepting, lets exchanges run on for `graceMs`, then cuts what is left. Call again to cut at once. */
  close(graceMs: number): Promise<void>;
}
