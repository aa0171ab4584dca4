/** What this machine computes on, as far as settings depend on it. */
import type { SettingsInput } from "../predict/settingsSource.ts";
import type { Machine, MemorySample } from "../types.ts";

export function machineSettings(parts: {
  sample: MemorySample | undefined;
  machine: Pick<Machine, "architecture" | "osName"> | undefined;
  /** Seen once a runner has rewritten its weights for the processor's matrix tiles: it will do so again. */
  tiles?: boolean;
  /** Graphics memory of the loaded models: Ollama makes room for another one. */
  evictableBytes?: number;
  ollamaVersion: string | undefined;
  /** What of the environment of `ollama serve` bears on memory. */
  environment: Readonly<Record<string, string>> | undefined;
}): Omit<SettingsInput, "shape"> {
  const gpus = parts.sample?.gpus ?? [];
  const arm = parts.machine?.architecture === "arm64";
  const unified = arm && parts.machine?.osName.startsWith("macOS") === true;
  const free = gpus.map(({ totalBytes, usedBytes }) =>
    totalBytes === undefined || usedBytes === undefined ? undefined : totalBytes - usedBytes,
  );
  return {
    ...(free.length > 0 &&
      free.every((bytes) => bytes !== undefined) && {
        deviceFreeBytes: free.reduce((sum, bytes) => sum + bytes, parts.evictableBytes ?? 0),
      }),
    ollamaVersion: parts.ollamaVersion,
    environment: parts.environment,
    vramBytes: gpus.reduce((sum, gpu) => sum + (gpu.totalBytes ?? 0), 0),
    backend: unified ? "metal" : gpus.length > 0 ? "cuda" : "cpu",
    ...(parts.tiles === true ? { cpu: "amx" as const } : arm && { cpu: "arm" as const }),
  };
}
