/** Everything for Prometheus, in its text format. */
import { Registry } from "@prometheus-io/client";
import type { ExchangeObserver } from "../types.ts";
import type { MetricSources } from "./gauges.ts";
import { addGauges } from "./gauges.ts";
import { createLabels } from "./labels.ts";
import { createTraffic } from "./traffic.ts";

export interface Metrics {
  /** Counts exchanges when they end. */
  observer: ExchangeObserver;
  /** The Prometheus text. */
  read(): Promise<{ contentType: string; text: string }>;
}

/** Creates the figures of `/plimsoll/metrics` in a registry of their own. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const modelLabel = createLabels(64);
  const traffic = createTraffic(registry, modelLabel);
  addGauges(registry, { ...sources, modelLabel, contextUsedRatios: traffic.contextUsedRatios });
  return {
    observer: { name: "metrics", onEnd: traffic.count },
    async read() {
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
