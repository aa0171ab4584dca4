/** What is known of a model, for whoever follows the chats with it: from memory, at once. */
import { estimateMemory } from "../predict/estimate.ts";
import type { PrefillWork } from "../predict/prefillFit.ts";
import { resolveSettings } from "../predict/resolveSettings.ts";
import type { SettingsInput } from "../predict/settingsSource.ts";
import type { SpeedSettings } from "../predict/guessTypes.ts";
import type { ScoredValue } from "../predict/accuracy.ts";
import type { ChatModel, LoadedModel, MemoryEstimate } from "../types.ts";
import { runnerFor } from "./ask.ts";
import type { Knowledge } from "./keep.ts";
import type { KnownModel } from "./modelKnowledge.ts";

export interface ChatModels {
  model(name: string, contextLength?: number): ChatModel;
  prefillMs(name: string, work: PrefillWork): number | undefined;
  scored(values: ScoredValue[]): void;
}

/** Estimates kept; they are asked for with every exchange. */
const MOST_ESTIMATES = 128;

export function createChatModels(parts: {
  knowledge: Knowledge;
  known(model: string): KnownModel | undefined;
  settings(): Omit<SettingsInput, "shape">;
  loadedModels(): LoadedModel[];
  canonicalName(model: string): string;
  estimateOf(loadId: string): MemoryEstimate | undefined;
  speedSettings(model: LoadedModel | undefined): SpeedSettings | undefined;
}): ChatModels {
  const estimates = new Map<string, { known: KnownModel; estimate?: MemoryEstimate }>();

  const loadedOf = (key: string): LoadedModel | undefined =>
    parts.loadedModels().find(({ name }) => parts.canonicalName(name) === key);

  /** As it would be with this context, all other settings as they are. */
  const estimateWith = (key: string, contextLength: number | undefined): MemoryEstimate | undefined => {
    const known = parts.known(key);
    if (known === undefined) {
      return undefined;
    }
    const loaded = loadedOf(key);
    const settings = parts.settings();
    const same = contextLength === undefined || contextLength === loaded?.contextLength;
    const name = JSON.stringify([
      key,
      contextLength,
      loaded?.loadId,
      settings.ollamaVersion,
      settings.backend,
    ]);
    const kept = estimates.get(name);
    if (kept?.known === known) {
      return kept.estimate;
    }
    const estimate = estimated({
      ...settings,
      shape: known.shape,
      modelParameters: known.parameters,
      environment: loaded?.settings?.environment ?? settings.environment,
      runner: same ? loaded?.settings : runnerFor({ contextLength }, loaded?.settings),
      ...(!same && { query: { contextLength } }),
      ...(loaded !== undefined && { ps: { contextLength: loaded.contextLength } }),
    });
    estimates.set(name, { known, ...(estimate && { estimate }) });
    if (estimates.size > MOST_ESTIMATES) {
      estimates.delete(estimates.keys().next().value ?? "");
    }
    return estimate;
  };

  return {
    model(name, contextLength) {
      const key = parts.canonicalName(name);
      const loaded = loadedOf(key);
      const shape = parts.known(key)?.shape;
      const isThisLoad = contextLength === undefined || contextLength === loaded?.contextLength;
      const ofLoad = loaded?.loadId === undefined ? undefined : parts.estimateOf(loaded.loadId);
      return {
        key,
        contextLength: loaded?.contextLength,
        trainedContextLength: shape?.trainedContextLength,
        slots: loaded?.settings?.parallel,
        loadId: isThisLoad ? loaded?.loadId : undefined,
        estimate: (isThisLoad ? ofLoad : undefined) ?? estimateWith(key, contextLength),
        windowTokens: shape?.window,
      };
    },
    prefillMs(name, work) {
      const key = parts.canonicalName(name);
      return parts.knowledge.learned.speed.of(key, parts.speedSettings(loadedOf(key))).prefillMs(work);
    },
    scored: (values) => parts.knowledge.accuracy.add(values),
  };
}

function estimated(input: SettingsInput): MemoryEstimate | undefined {
  try {
    return estimateMemory(input.shape, resolveSettings(input));
  } catch {
    // Settings that the server would refuse: there is nothing to say then.
    return undefined;
  }
}
