/** What a question about this machine is answered from, without a running instance: its memory now, and its record. */
import os from "node:os";
import { isLoopback } from "../config.ts";
import { readMachine, readMachineFacts } from "../memory/machine.ts";
import { createMemorySource } from "../memory/source.ts";
import type { OllamaClient } from "../ollama/client.ts";
import { createAsk, type Ask } from "../predictions/ask.ts";
import {
  BANDWIDTH_KEY,
  deviceBandwidth,
  hostBandwidth,
  parseMeasuredBandwidth,
} from "../predictions/bandwidth.ts";
import { CALIBRATION_KEY, LEARNED_KEY, parseKnowledge } from "../predictions/keep.ts";
import { machineSettings } from "../predictions/machineSettings.ts";
import { speedOf, type Bandwidths } from "../predictions/speeds.ts";
import { canonicalName } from "../models/names.ts";
import { upstreamAddress } from "../proxy/upstream.ts";
import { readMigrations } from "../store/migrate.ts";
import { openReader } from "../store/readOnly.ts";
import type { Machine, MemorySample } from "../types.ts";
import { MIGRATIONS_DIRECTORY } from "./paths.ts";

/** Longest wait for a helper's first words about memory, or for the environment of `ollama serve`. */
const PATIENCE_MS = { memory: 5000, environment: 300 };
const STEP_MS = 20;

export async function askHere(parts: {
  client: OllamaClient;
  upstream: string;
  dataDir: string;
}): Promise<Ask> {
  const { client, upstream, dataDir } = parts;
  const record = readRecord(dataDir);
  const [ollamaVersion, memory] = await Promise.all([
    client.version().catch(() => undefined),
    memoryNow(upstream),
  ]);
  const { sample, environment } = memory;
  const measured = parseMeasuredBandwidth(record.bandwidth, os.hostname());
  const machine = await machineFor(hostBandwidth(factsOnly(), measured) !== undefined, sample);
  const bandwidths: Bandwidths = {
    host: hostBandwidth(machine, measured),
    device: deviceBandwidth(machine, measured),
  };
  const { learned, calibration } = parseKnowledge(record, os.hostname());
  const settings = machineSettings({ sample, machine, ollamaVersion, environment });
  return createAsk({
    client,
    settings: () => settings,
    memory: () => ({
      headroomBytes: sample?.headroomBytes,
      totalBytes: sample?.totalBytes,
      unifiedMemory: settings.backend === "metal",
    }),
    loaded: () => undefined,
    calibrate: (model, bytes) =>
      calibration.apply(canonicalName(model), "residentHostBytes", bytes).calibrated,
    speed: ({ model, ...configured }) =>
      speedOf(
        learned,
        { ...configured, model: model === undefined ? undefined : canonicalName(model) },
        bandwidths,
      ),
  });
}

/** A record that is not there, or cannot be read, is as good as nothing learned yet. */
function readRecord(dataDir: string): Record<"learned" | "calibration" | "bandwidth", string | undefined> {
  try {
    const reader = openReader(dataDir, readMigrations(MIGRATIONS_DIRECTORY).length);
    try {
      return {
        learned: reader.setting(LEARNED_KEY),
        calibration: reader.setting(CALIBRATION_KEY),
        bandwidth: reader.setting(BANDWIDTH_KEY),
      };
    } finally {
      reader.close();
    }
  } catch {
    return { learned: undefined, calibration: undefined, bandwidth: undefined };
  }
}

function factsOnly(): Machine {
  return { ...readMachineFacts(), gpuNames: [] };
}

/** The system's tools take a second or more: they are asked only for what the processor's own name does not tell. */
async function machineFor(bandwidthKnown: boolean, sample: MemorySample | undefined): Promise<Machine> {
  const gpus = sample?.gpus ?? [];
  const named = gpus.map(({ name }) => name).filter((name) => name !== undefined);
  return bandwidthKnown && named.length === gpus.length ? { ...factsOnly(), gpuNames: named } : readMachine();
}

/** One reading of this machine; helpers of other systems need a moment for their first. */
async function memoryNow(
  upstream: string,
): Promise<{ sample?: MemorySample; environment?: Readonly<Record<string, string>> }> {
  const source = createMemorySource({
    platform: process.platform,
    upstreamIsLocal: isLoopback(upstreamAddress(upstream).host),
    now: () => Date.now(),
    monotonic: () => performance.now(),
  });
  try {
    const began = performance.now();
    const waitFor = async <T>(read: () => T | undefined, patienceMs: number): Promise<T | undefined> => {
      let value = read();
      while (value === undefined && performance.now() - began < patienceMs) {
        await new Promise((resolve) => setTimeout(resolve, STEP_MS));
        value = read();
      }
      return value;
    };
    const patienceMs = source.state === "on" ? PATIENCE_MS.memory : 0;
    const sample = await waitFor(source.read, patienceMs);
    const environment = await waitFor(
      () => source.serverEnvironment?.(),
      source.serverEnvironment === undefined ? 0 : PATIENCE_MS.environment,
    );
    return { sample, environment };
  } finally {
    await source.close();
  }
}
