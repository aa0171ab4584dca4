/** The guard, joined with the rest. With `guard.mode` off there is none, and nothing at all is different. */
import type { Config } from "./config.ts";
import { createGuard, type GuardParts, type LoadGuard } from "./alerts/guard/guard.ts";
import type { Ask } from "./predictions/ask.ts";
import { canonicalName } from "./models/names.ts";
import type { OllamaClient } from "./ollama/client.ts";
import type { ExchangeObserver, Log, MemorySample } from "./types.ts";

export interface AppGuard {
  /** For the proxy: only where requests are held back. */
  guard: LoadGuard | undefined;
  observers: ExchangeObserver[];
  modelsSeen: LoadGuard["modelsSeen"];
}

export function createAppGuard(parts: {
  settings: Config["guard"];
  /** Memory of another host says nothing about Ollama's. */
  upstreamIsLocal: boolean;
  client: Pick<OllamaClient, "ps">;
  ask: Pick<Ask, "settingsFor" | "calibrate">;
  sample: () => MemorySample | undefined;
  loadedModels: GuardParts["loadedModels"];
  live: GuardParts["live"];
  ollamaVersion: GuardParts["ollamaVersion"];
  noticed: GuardParts["noticed"];
  now: () => number;
  log: Log;
}): AppGuard {
  const { settings, now, log } = parts;
  if (settings.mode === "off") {
    return { guard: undefined, observers: [], modelsSeen: () => {} };
  }
  const guard = createGuard({
    mode: settings.mode,
    marginBytes: settings.marginBytes,
    canonicalName,
    sample: () => (parts.upstreamIsLocal ? parts.sample() : undefined),
    loadedModels: parts.loadedModels,
    listNow: () => parts.client.ps(),
    settingsFor: (query) => parts.ask.settingsFor(query),
    calibrate: (model, bytes) => parts.ask.calibrate(model, bytes),
    live: parts.live,
    now,
    log,
    ollamaVersion: parts.ollamaVersion,
    noticed: parts.noticed,
  });
  return {
    guard: guard.holds ? guard : undefined,
    observers: [guard.observer],
    modelsSeen: guard.modelsSeen,
  };
}
