import type { Registry } from "@prometheus-io/client";
import { Counter, Gauge } from "@prometheus-io/client";
import type { MemorySample, RecorderHealth, Snapshot } from "../types.ts";
import type { Labels } from "./labels.ts";

/** What the figures are read from. */
export interface MetricSources {
  version: string;
  /** The latest state in memory. A scrape never samples anything. */
  snapshot(): Snapshot;
  recorder(): RecorderHealth;
  /** Median size of the error of each kind of prediction over the last days, 0 to 1 and beyond. */
  predictionErrors(): { model: string; kind: string; medianErrorRatio: number }[];
  /** How often each observer of exchanges has failed since the start, by its name. */
  observerFailures(): Record<string, number>;
  /** Models that were loaded again since the start, by cause. */
  reloads(): { cause: string; count: number; seconds: number }[];
}

interface GaugeSources extends MetricSources {
  modelLabel: Labels;
  contextUsedRatios: ReadonlyMap<string, number>;
}

type Series = [labels: Record<string, string>, value: number | undefined][];

const sampleFigures: [name: string, help: string, field: (sample: MemorySample) => number | undefined][] = [
  ["headroom_bytes", "Left before swapping starts; negative once passed.", (sample) => sample.headroomBytes],
  ["memory_total_bytes", "Memory of the machine.", (sample) => sample.totalBytes],
  ["memory_available_bytes", "Memory the system says is available.", (sample) => sample.availableBytes],
  ["swap_used_bytes", "Swap in use.", (sample) => sample.swapUsedBytes],
  ["swap_out_bytes_per_second", "Written to swap.", (sample) => sample.swapOutBytesPerSecond],
  ["swap_in_bytes_per_second", "Read from swap.", (sample) => sample.swapInBytesPerSecond],
  [
    "refault_bytes_per_second",
    "File pages read again after eviction.",
    (sample) => sample.refaultBytesPerSecond,
  ],
];

const ALERT_LEVELS: ReadonlyMap<Snapshot["verdict"]["level"], number> = new Map(
  (["ok", "watch", "warn", "critical", "swapping", "thrashing"] as const).map((level, rank) => [level, rank]),
);

/**
 * Figures that are read when asked for. Each scrape starts from nothing: an unloaded model, or a source that went away, disappears instead
 * of keeping its last value for ever.
 */
export function addGauges(registry: Registry, sources: GaugeSources): void {
  const { snapshot, recorder, modelLabel } = sources;
  const gauge = createGauge(registry);
  const plain = (name: string, help: string, read: () => number | undefined): void =>
    gauge(name, help, [], () => [[{}, read()]]);

  for (const [name, help, field] of sampleFigures) {
    plain(name, help, () => {
      const { sample } = snapshot();
      return sample && field(sample);
    });
  }
  gauge("runner_memory_bytes", "Memory of a runner process by kind.", ["model", "kind"], () => {
    return runnerSeries(snapshot().sample, modelLabel);
  });
  gauge("context_used_ratio", "Share of the context used by the last exchange.", ["model"], () => {
    const loaded = new Set(snapshot().models.map((model) => modelLabel.known(model.name)));
    const ratios = [...sources.contextUsedRatios].filter(([model]) => loaded.has(model));
    return ratios.map(([model, ratio]) => [{ model }, ratio]);
  });
  gauge(
    "prediction_error_ratio",
    "Median error of what was predicted, last 7 days.",
    ["model", "kind"],
    () => {
      return sources
        .predictionErrors()
        .map(({ model, kind, medianErrorRatio }) => [
          { model: modelLabel.known(model), kind },
          medianErrorRatio,
        ]);
    },
  );
  plain(
    "alert_level",
    "0 ok, 1 watch, 2 warn, 3 critical, 4 swapping, 5 thrashing; absent when unknown.",
    () => ALERT_LEVELS.get(snapshot().verdict.level),
  );
  plain(
    "swap_forecast_seconds",
    "Until swapping starts, as forecast; absent when none is.",
    () => snapshot().forecast?.secondsToSwap?.predicted,
  );
  plain("requests_running", "Exchanges in progress.", () => liveCount(sources, false));
  plain("requests_waiting", "Exchanges waiting behind others (a guess).", () => liveCount(sources, true));
  plain("upstream_up", "1 when Ollama answers.", () => Number(snapshot().health.upstream.reachable));
  plain("recorder_pending", "Rows waiting to be written.", () => recorder().pending);
  gauge("build_info", "Always 1; the version is in the label.", ["version"], () => {
    return [[{ version: sources.version }, 1]];
  });

  counter(registry, "recorder_dropped_total", "Rows given up.", [], () => [[{}, recorder().dropped]]);
  counter(registry, "reloads_total", "Models loaded again, by cause.", ["cause"], () => {
    return sources.reloads().map(({ cause, count }) => [{ cause }, count]);
  });
  counter(registry, "reload_seconds_total", "Waited for models that were loaded again.", ["cause"], () => {
    return sources.reloads().map(({ cause, seconds }) => [{ cause }, seconds]);
  });
  counter(registry, "observer_failures_total", "Failures of an observer of exchanges.", ["observer"], () => {
    return Object.entries(sources.observerFailures()).map(([observer, count]) => [{ observer }, count]);
  });
}

function runnerSeries(sample: MemorySample | undefined, modelLabel: Labels): Series {
  // Several runners can carry one label (one name twice, or "other"): their bytes add up.
  const totals = new Map<string, { model: string; kind: string; bytes: number }>();
  for (const runner of sample?.runners ?? []) {
    const model = modelLabel.admit(runner.model);
    const kinds = {
      anonymous: runner.anonymousBytes,
      file: runner.fileBytes,
      shared: runner.sharedBytes,
      swapped: runner.swappedBytes,
    };
    for (const [kind, bytes] of Object.entries(kinds)) {
      const key = `${kind} ${model}`;
      totals.set(key, { model, kind, bytes: (totals.get(key)?.bytes ?? 0) + bytes });
    }
  }
  return [...totals.values()].map(({ model, kind, bytes }) => [{ model, kind }, bytes]);
}

function liveCount(sources: GaugeSources, queued: boolean): number {
  return sources.snapshot().exchanges.filter(({ state }) => {
    return !("endedAt" in state) && (state.stage === "queued") === queued;
  }).length;
}

function createGauge(registry: Registry) {
  return (name: string, help: string, labelNames: string[], read: () => Series): void => {
    const gauge = new Gauge<string>({
      name: `plimsoll_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        gauge.reset();
        // `reset` puts an unlabelled gauge to 0, which would be a claim.
        if (labelNames.length === 0) gauge.remove();
        for (const [labels, value] of read()) if (value !== undefined) gauge.set(labels, value);
      },
    });
  };
}

function counter(
  registry: Registry,
  ...[name, help, labelNames, read]: [string, string, string[], () => Series]
): void {
  const total = new Counter<string>({
    name: `plimsoll_${name}`,
    help,
    labelNames,
    registers: [registry],
    collect() {
      total.reset();
      for (const [labels, value] of read()) if (value !== undefined) total.inc(labels, value);
    },
  });
}
