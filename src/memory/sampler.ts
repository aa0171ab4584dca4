/** When memory is read, from a source that says what there is to read. */
import type { Log, MemorySample, RunnerProcess, SamplerHealth } from "../types.ts";
import { createSelfLimit } from "./selfLimit.ts";
import { createTicker, type Ticker } from "./ticker.ts";

/** Where readings come from: one machine's own memory, a recording, or nowhere. */
export interface MemorySource {
  readonly state: SamplerHealth["state"];
  /** The memory now; `undefined` when there is nothing new to say. Throws when it should be readable and is not. */
  read(): MemorySample | undefined;
  /** Ollama's runner processes, as far as they are visible. */
  runners(): RunnerProcess[];
  /** What of the environment of `ollama serve` bears on memory, where it may be read. */
  serverEnvironment?(): Readonly<Record<string, string>> | undefined;
  /** Looks for runner processes at once. */
  rescan(): void;
  /** What is missing from the readings and why, in words for people. */
  problems(): string[];
  /** Whether a loaded model uses a graphics card: only then is it worth asking a vendor's tool. */
  setDeviceInUse(inUse: boolean): void;
  /** All active swap is compressed memory: swapping costs time, no disk. */
  swapIsCompressed?(): boolean;
  /** Closes files and ends helper programs. */
  close(): Promise<void>;
}

export interface SamplerOptions {
  source: MemorySource;
  intervalMs: number;
  monotonic: () => number;
  /** Processor time this thread has used. With it the sampler slows itself down when it costs too much. */
  cpuTimeMs?: () => number;
  log?: Log;
}

/** Reads memory on a fixed beat. */
export interface Sampler {
  /** Takes a reading at once and then on the beat; `onSample` hears of each. */
  start(onSample: (sample: MemorySample) => void): void;
  stop(): Promise<void>;
  latest(): MemorySample | undefined;
  health(): SamplerHealth;
  runners(): RunnerProcess[];
  rescan(): void;
  /** Reads every `intervalMs` for the next `forMs`, looking for new processes each time: a model is being loaded. */
  hurry(intervalMs: number, forMs: number): void;
}

/** A source that fails becomes a line in `health().problems`; the beat goes on and the next reading may succeed. */
export function createSampler(options: SamplerOptions): Sampler {
  const { source, monotonic, log } = options;
  const cpuTimeMs = options.cpuTimeMs ?? (() => 0);
  const selfLimit = createSelfLimit();
  let latest: MemorySample | undefined;
  let onSample: (sample: MemorySample) => void = () => {};
  let ticker: Ticker | undefined;
  let failure: string | undefined;
  let hurryUntilMs = Number.NEGATIVE_INFINITY;
  let hurriedIntervalMs = options.intervalMs;

  const intervalNow = (): number => {
    if (monotonic() < hurryUntilMs) return Math.min(hurriedIntervalMs, options.intervalMs);
    return selfLimit.slowed() ? options.intervalMs * 2 : options.intervalMs;
  };

  const readSource = (): MemorySample | undefined => {
    const before = cpuTimeMs();
    try {
      if (monotonic() < hurryUntilMs) source.rescan();
      const sample = source.read();
      failure = undefined;
      return sample;
    } catch (error) {
      const reason = `memory cannot be read: ${error instanceof Error ? error.message : String(error)}`;
      if (failure !== reason) log?.warn(reason);
      failure = reason;
      return undefined;
    } finally {
      selfLimit.add(cpuTimeMs() - before, monotonic());
    }
  };

  const tick = (): void => {
    const sample = readSource();
    ticker?.setInterval(intervalNow());
    if (sample === undefined) return;
    latest = sample;
    try {
      onSample(sample);
    } catch (error) {
      log?.error("a listener of memory samples failed", { error: String(error) });
    }
  };

  const problems = (): string[] => [
    ...(failure === undefined ? [] : [failure]),
    ...(selfLimit.slowed()
      ? [`sampling costs over 1 % of a core: slowed to every ${options.intervalMs * 2} ms`]
      : []),
    ...source.problems(),
  ];

  return {
    start: (listener) => {
      onSample = listener;
      ticker ??= createTicker({ intervalMs: options.intervalMs, monotonic, onTick: tick });
      tick();
    },
    stop: async () => {
      ticker?.stop();
      ticker = undefined;
      await source.close();
    },
    latest: () => latest,
    health: () => ({ state: source.state, problems: problems() }),
    runners: source.runners,
    rescan: source.rescan,
    hurry: (intervalMs, forMs) => {
      hurriedIntervalMs = intervalMs;
      hurryUntilMs = monotonic() + forMs;
      source.rescan();
      ticker?.setInterval(intervalNow());
    },
  };
}
