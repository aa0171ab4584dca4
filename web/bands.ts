import type { MemorySample } from "../src/types.ts";

/** One layer of the memory picture. */
export interface Band {
  kind: "other" | "anonymous" | "file";
  /** The runner's model; absent for other programs. */
  model?: string;
  /** 1 to 4: which of the runner colours. */
  hue?: number;
  label: string;
}

const modelsShown = 4;
/** Less than a tenth of a GiB has no layer of its own: no line would be thin enough, and its figure reads as none. */
export const fileShownFrom = 0.1 * 1024 ** 3;
const restName = "other models";

/** Memory that programs use and that cannot be dropped: total less available. */
export function usedBytes(sample: MemorySample): number | undefined {
  if (sample.totalBytes === undefined || sample.availableBytes === undefined) return undefined;
  return sample.totalBytes - sample.availableBytes;
}

/** The layers that a row of samples needs, bottom first. The largest models get layers of their own, empty layers are left out. */
export function bandsOf(samples: readonly MemorySample[]): Band[] {
  const largest = new Map<string, RunnerBytes>();
  for (const sample of samples) {
    for (const [model, bytes] of bytesByModel(sample)) {
      const before = largest.get(model) ?? { anonymous: 0, file: 0 };
      largest.set(model, {
        anonymous: Math.max(before.anonymous, bytes.anonymous),
        file: Math.max(before.file, bytes.file),
      });
    }
  }
  const bySize = [...largest].toSorted(([, a], [, b]) => b.anonymous + b.file - a.anonymous - a.file);
  const crowded = bySize.length > modelsShown;
  const shown = bySize
    .slice(0, crowded ? modelsShown - 1 : modelsShown)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (crowded) shown.push([restName, total(bySize.slice(modelsShown - 1).map(([, bytes]) => bytes))]);
  return [
    { kind: "other", label: "other programs" },
    ...shown.flatMap(([model, bytes], index): Band[] => [
      ...(bytes.anonymous > 0 ? [{ kind: "anonymous", model, hue: index + 1, label: model } as const] : []),
      ...(bytes.file >= fileShownFrom
        ? [{ kind: "file", model, hue: index + 1, label: `${model}, mapped from file` } as const]
        : []),
    ]),
  ];
}

/**
 * Bytes of each band, bottom first; absent when the sample does not say what is used. File-backed bytes lie on top of `used`, because
 * the system counts them as available although dropping them would make the model crawl: so the sum ends exactly `headroom` below the
 * load line.
 */
export function bandBytes(sample: MemorySample, bands: readonly Band[]): number[] | undefined {
  const used = usedBytes(sample);
  if (used === undefined) return undefined;
  const models = bytesByModel(sample);
  const named = new Set(bands.map((band) => band.model));
  const withFileBand = new Set(bands.filter((band) => band.kind === "file").map((band) => band.model));
  const rest = total([...models].filter(([model]) => !named.has(model)).map(([, bytes]) => bytes));
  const held = total([...models.values()]).anonymous;
  return bands.map(({ kind, model = "" }) => {
    if (kind === "other") return Math.max(0, used - held);
    const bytes = models.get(model) ?? (model === restName ? rest : none);
    if (kind === "file") return bytes.file;
    return bytes.anonymous + (withFileBand.has(model) ? 0 : bytes.file);
  });
}

/** Where swapping starts on the same scale; moves when a container's limit binds instead of the machine's memory. */
export function loadLineBytes(sample: MemorySample, stackBytes: number): number | undefined {
  const { totalBytes, floorBytes, headroomBytes, limit } = sample;
  if (!limit && totalBytes !== undefined && floorBytes !== undefined) return totalBytes - floorBytes;
  return headroomBytes === undefined ? undefined : stackBytes + headroomBytes;
}

interface RunnerBytes {
  anonymous: number;
  file: number;
}

const none: RunnerBytes = { anonymous: 0, file: 0 };

function total(parts: readonly RunnerBytes[]): RunnerBytes {
  return parts.reduce(
    (sum, part) => ({ anonymous: sum.anonymous + part.anonymous, file: sum.file + part.file }),
    none,
  );
}

function bytesByModel(sample: MemorySample): Map<string, RunnerBytes> {
  const models = new Map<string, RunnerBytes>();
  for (const runner of sample.runners) {
    const model = runner.model ?? `runner ${runner.pid}`;
    const bytes = models.get(model) ?? { anonymous: 0, file: 0 };
    bytes.anonymous += runner.anonymousBytes + runner.sharedBytes;
    bytes.file += runner.fileBytes;
    models.set(model, bytes);
  }
  return models;
}
