/**
 * A simulated Ollama on a real socket: the answers, waits and memory of v0.33 without a model. It serves the demo and the
 * tests; what a test needs to go wrong it says in a script.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RunnerProcess, RunnerSample } from "../types.ts";
import { createClock, type Clock } from "./clock.ts";
import { CATALOGUE } from "./engine/catalogue.ts";
import type { RunnerMemory } from "./engine/runner.ts";
import { createScheduler } from "./engine/scheduler.ts";
import { createRandom } from "./random.ts";
import { createConnectionHandler, type RecordedRequest } from "./server/connection.ts";
import type { Engine } from "./server/job.ts";
import { createLibrary } from "./server/library.ts";
import type { Script } from "./server/script.ts";

export interface SimulatedOllamaOptions {
  host?: string;
  /** 0, the default, takes any free one. */
  port?: number;
  /** Names from the catalogue; all of them by default. */
  models?: readonly string[];
  /** Simulated milliseconds in a real one; ignored when a clock is given. */
  speed?: number;
  /** Nothing that a model computes takes time. */
  instant?: boolean;
  clock?: Clock;
  seed?: number;
  script?: Script;
  version?: string;
  /** Above 1 while the simulated machine swaps: everything takes that much longer. */
  slowdown?: () => number;
  /** Keep the bytes of request bodies in `requests()`. */
  keepBodies?: boolean;
}

export interface SimulatedOllama {
  clock: Clock;
  listen(): Promise<{ url: string; port: number }>;
  /** Cuts what is open. */
  close(): Promise<void>;
  /** The newest thousand, oldest first. */
  requests(): RecordedRequest[];
  /** Replaces the script; `nth` counts from here on. */
  setScript(script: Script): void;
  /** Runners with what they hold, those still loading among them. */
  memory(): { runners: SimulatedRunner[] };
}

export interface SimulatedRunner {
  process: RunnerProcess;
  sample: RunnerSample;
  memory: RunnerMemory;
  loaded: boolean;
  busy: boolean;
}

const VERSION = "0.33.0-simulated";
/** Above what a kernel hands out by default, so that no real process is ever meant. */
const FIRST_PID = 5_000_000;
/** Kernel clock ticks in a second. */
const TICKS_PER_SECOND = 100;
/** Go takes a megabyte of headers. */
const LARGEST_HEADERS_BYTES = 2 ** 20;

export function createSimulatedOllama(options: SimulatedOllamaOptions = {}): SimulatedOllama {
  const clock =
    options.clock ?? createClock({ speed: options.speed ?? 1, instant: options.instant ?? false });
  const wanted = options.models;
  const models = CATALOGUE.filter((model) => wanted === undefined || wanted.includes(model.name));
  const engine: Engine = {
    clock,
    random: createRandom(options.seed ?? 1),
    version: options.version ?? VERSION,
    library: createLibrary(models, clock.now),
    scheduler: createScheduler({ clock, firstPid: FIRST_PID }),
    blobs: new Set(),
    slowdown: options.slowdown ?? (() => 1),
  };
  const connection = createConnectionHandler(engine, {
    script: options.script ?? [],
    keepBodies: options.keepBodies ?? false,
  });
  const server = createHttpServer(connection.handle);
  const startedAt = clock.now();
  return {
    clock,
    listen: async () => {
      const { host = "127.0.0.1", port = 0 } = options;
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, resolve);
      });
      const address = server.address() as AddressInfo;
      return { url: `http://${host}:${address.port}`, port: address.port };
    },
    close: async () => {
      connection.close();
      engine.scheduler.close();
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
    requests: connection.requests,
    setScript: connection.setScript,
    memory: () => ({ runners: listRunners(engine, startedAt) }),
  };
}

/** Without any of Node's own time limits: Ollama has none. */
function createHttpServer(handle: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const server = createServer(
    {
      keepAliveTimeout: 0,
      requestTimeout: 0,
      headersTimeout: 0,
      maxHeaderSize: LARGEST_HEADERS_BYTES,
      requireHostHeader: false,
      noDelay: true,
    },
    handle,
  );
  server.on("checkContinue", handle);
  return server;
}

function listRunners(engine: Engine, startedAt: number): SimulatedRunner[] {
  return engine.scheduler.residents().map(({ name, runner, idle }) => {
    const memory = runner.memory();
    return {
      process: {
        pid: runner.pid,
        startTicks: Math.round(((runner.startedAt - startedAt) / 1000) * TICKS_PER_SECOND),
        startedAt: runner.startedAt,
        blobDigest: runner.model.blobDigest,
        modelPath: runner.modelPath,
        argv: runner.argv,
        settings: runner.settings,
      },
      sample: {
        pid: runner.pid,
        startedAt: runner.startedAt,
        model: name,
        anonymousBytes: memory.anonymousBytes,
        fileBytes: memory.fileBytes,
        sharedBytes: 0,
        swappedBytes: 0,
      },
      memory,
      loaded: runner.loaded(),
      busy: !idle(),
    };
  });
}
