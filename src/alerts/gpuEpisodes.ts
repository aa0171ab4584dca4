/** A device's memory: nearly full, or a load that found less of it than the one before and spilled to the processor. */
import { bytesText, nameText } from "../predict/figureText.ts";
import type { Episode, GpuSample, Load, MemorySample } from "../types.ts";
import type { EpisodeChange } from "./episodes.ts";

export interface GpuEpisodes {
  sampled(sample: MemorySample, at: number, atMs: number): void;
  /** Called whenever a load's row changes. */
  loadChanged(load: Load, at: number): void;
  open(): Episode[];
}

export interface GpuEpisodesParts {
  newId: () => string;
  onChange: (episode: Episode, change: EpisodeChange) => void;
  /** Median tok/s of the model's last answers, and what its decoding is expected to be now; absent when not known. */
  speed?: (model: string) => { before?: number; now?: number } | undefined;
}

/** Free of a card below this is nearly full; it is over a quarter above that, so that it does not flicker. */
const FULL_RATIO = 0.05;
const CLEAR_RATIO = 0.0625;
const CLEAR_MS = 30_000;
/** Claims of the same placement differ by rounding and by buffers. */
const NOTEWORTHY_SHARE = 0.02;
const MOST_MODELS = 100;

interface Placement {
  loadId: string;
  layers?: number;
  deviceShare?: number;
}

/**
 * One episode for each card that is nearly full (under 5 % free, until 6.25 % are again for 30 s), one for each model
 * that spilled.
 */
export function createGpuEpisodes(parts: GpuEpisodesParts): GpuEpisodes {
  const full = new Map<string, { episode: Episode; calmSinceMs?: number }>();
  const spilled = new Map<string, Episode>();
  const placements = new Map<string, { last?: Placement; before?: Placement }>();

  const begin = (at: number, text: string, more: Partial<Episode> = {}): Episode => ({
    id: parts.newId(),
    kind: "gpu",
    level: "warn",
    currentLevel: "warn",
    startedAt: at,
    peakAt: at,
    text,
    causes: [],
    remedies: [],
    ...more,
  });

  const end = (episode: Episode, at: number): void => {
    episode.endedAt = at;
    episode.currentLevel = "ok";
    parts.onChange({ ...episode }, "ended");
  };

  const check = (gpu: GpuSample, at: number, atMs: number): void => {
    const { totalBytes, usedBytes } = gpu;
    if (totalBytes === undefined || usedBytes === undefined || totalBytes <= 0) return;
    const freeBytes = Math.max(0, totalBytes - usedBytes);
    const entry = full.get(gpu.id);
    if (entry === undefined) {
      if (freeBytes >= FULL_RATIO * totalBytes) return;
      const name = nameText(gpu.name ?? gpu.id);
      const episode = begin(
        at,
        `Memory of ${name} is nearly full: ${bytesText(freeBytes)} of ${bytesText(totalBytes)} free. What no longer fits is computed by the processor, several times slower.`,
        {
          headroomBytes: freeBytes,
          lowestHeadroomBytes: freeBytes,
          thresholdBytes: Math.round(FULL_RATIO * totalBytes),
        },
      );
      full.set(gpu.id, { episode });
      parts.onChange({ ...episode }, "raised");
      return;
    }
    entry.episode.lowestHeadroomBytes = Math.min(entry.episode.lowestHeadroomBytes ?? freeBytes, freeBytes);
    entry.calmSinceMs = freeBytes < CLEAR_RATIO * totalBytes ? undefined : (entry.calmSinceMs ?? atMs);
    if (entry.calmSinceMs !== undefined && atMs - entry.calmSinceMs >= CLEAR_MS) {
      full.delete(gpu.id);
      end(entry.episode, at);
    }
  };

  return {
    sampled(sample, at, atMs) {
      for (const gpu of sample.gpus) check(gpu, at, atMs);
    },
    loadChanged(load, at) {
      const open = spilled.get(load.model);
      const known = placements.get(load.model) ?? {};
      if (load.unloadedAt !== undefined) {
        if (open !== undefined && known.last?.loadId === load.id) {
          spilled.delete(load.model);
          end(open, at);
        }
        return;
      }
      const now = placementOf(load);
      if (now === undefined) return;
      if (known.last !== undefined && known.last.loadId !== load.id) known.before = known.last;
      known.last = now;
      placements.set(load.model, known);
      if (placements.size > MOST_MODELS) placements.delete(placements.keys().next().value ?? "");
      const fewer = known.before !== undefined && isLess(now, known.before);
      if (open === undefined && fewer && known.before !== undefined) {
        const episode = begin(at, spillText(load.model, known.before, now, parts.speed?.(load.model)));
        spilled.set(load.model, episode);
        parts.onChange({ ...episode }, "raised");
      } else if (open !== undefined && !fewer) {
        spilled.delete(load.model);
        end(open, at);
      }
    },
    open: () =>
      [...[...full.values()].map(({ episode }) => episode), ...spilled.values()].map((one) => ({ ...one })),
  };
}

/** Known once Ollama lists the model: how much of it lies on the device, or how many layers the runner was given. */
function placementOf({ id, settings, claimedBytes, claimedDeviceBytes }: Load): Placement | undefined {
  const deviceShare =
    claimedBytes === undefined || claimedDeviceBytes === undefined || claimedBytes <= 0
      ? undefined
      : claimedDeviceBytes / claimedBytes;
  const layers = settings?.offloadedLayers;
  if (deviceShare === undefined && layers === undefined) return undefined;
  return { loadId: id, layers, deviceShare };
}

function isLess(now: Placement, before: Placement): boolean {
  if (now.layers !== undefined && before.layers !== undefined) return now.layers < before.layers;
  if (now.deviceShare === undefined || before.deviceShare === undefined) return false;
  return before.deviceShare > 0 && now.deviceShare < before.deviceShare - NOTEWORTHY_SHARE;
}

function spillText(
  model: string,
  before: Placement,
  now: Placement,
  speed: { before?: number; now?: number } | undefined,
): string {
  const where =
    now.layers !== undefined && before.layers !== undefined
      ? `${now.layers} of its layers on the GPU instead of ${before.layers}`
      : `${percent(now.deviceShare)} of it on the GPU instead of ${percent(before.deviceShare)}`;
  const cost =
    speed?.before === undefined
      ? "the rest is computed by the processor, several times slower"
      : `its answers came at ${Math.round(speed.before)} tok/s${speed.now === undefined ? " before" : `, now about ${Math.round(speed.now)} are to be expected`}`;
  return `${nameText(model)} was loaded with ${where}: ${cost}.`;
}

function percent(share: number | undefined): string {
  return `${Math.round((share ?? 0) * 100)} %`;
}
