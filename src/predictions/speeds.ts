/** Speed of any configuration: from this machine's own answers where there are some, else from what a token reads. */
import { decodePrior, type DecodePlan } from "../predict/decodePrior.ts";
import type { EstimateSettings } from "../predict/estimateSettings.ts";
import { countText } from "../predict/figureText.ts";
import type { Learned } from "../predict/guessLearned.ts";
import type { SpeedSettings } from "../predict/guessTypes.ts";
import type { ModelShape } from "../predict/modelShape.ts";
import { speedCurve, type SpeedCurve } from "../predict/speedCurve.ts";
import { readBytesPerToken } from "../predict/weights.ts";
import type { MemoryEstimate, Provenance } from "../types.ts";
import type { KnownBandwidth } from "./bandwidth.ts";

/** A model in one configuration. */
export interface Configured {
  shape: ModelShape;
  settings: EstimateSettings;
  kvBytesPerToken: number;
}

export interface Bandwidths {
  host?: KnownBandwidth;
  device?: KnownBandwidth;
}

export type ExplainedSpeed = SpeedCurve & { assumption: MemoryEstimate["assumptions"][number] };

/** What a token of this configuration reads, and how fast. Undefined without a tensor list. */
export function decodePlanOf(
  { shape, settings, kvBytesPerToken }: Configured,
  { host, device }: Bandwidths,
): DecodePlan | undefined {
  const reads = readBytesPerToken(shape, settings);
  if (reads === undefined) {
    return undefined;
  }
  // Graphics that share the processor's memory read through the same wires, but reach more of them.
  const read = (bytesPerToken: number, known: KnownBandwidth | undefined, on: "cpu" | "gpu") => ({
    bytesPerToken,
    device: on,
    ...(known !== undefined && {
      bandwidthBytesPerSecond: known.bytesPerSecond,
      ...(known.measured && { measured: true }),
    }),
  });
  return {
    reads: [read(reads.hostBytes, host, "cpu"), read(reads.deviceBytes, device, "gpu")],
    kvBytesPerToken,
    layerCount: shape.layers.length,
    experts: shape.layers.some((layer) => (layer.feedForward?.experts?.count ?? 0) > 0),
  };
}

/** Files a configuration among the others: the type of its cache, and how much of it is on a device. */
export function speedSettingsOf({ shape, settings }: Configured): SpeedSettings {
  const onDevice = settings.backend === "cpu" ? 0 : settings.offloadedLayers / (shape.layers.length + 1);
  return { kvCacheType: settings.kvCacheTypeK, deviceRatio: Math.round(Math.min(1, onDevice) * 20) / 20 };
}

/**
 * Speed over depth up to the context of `configured`, with the words for where it comes from. A `model` without a name
 * is a file: nothing was learned of it. Undefined when neither answers nor any bandwidth are known.
 */
export function speedOf(
  learned: Learned,
  configured: Configured & { model?: string },
  bandwidths: Bandwidths,
): ExplainedSpeed | undefined {
  const model = configured.model ?? UNNAMED;
  const settings = speedSettingsOf(configured);
  const plan = decodePlanOf(configured, bandwidths);
  const { contextLength } = configured.settings;
  const curve = speedCurve(learned, { model, settings, contextLength, plan });
  if (curve === undefined) {
    return undefined;
  }
  const answers = learned.speed.of(model, settings).decode.answers();
  const value =
    answers > 0
      ? `fitted to ${countText(answers, "answer")} of this model with these settings`
      : priorWords(plan, bandwidths);
  return { ...curve, assumption: { name: "speed", value, provenance: provenanceOf(answers) } };
}

/** No model of Ollama's has an empty name. */
const UNNAMED = "";

function provenanceOf(answers: number): Provenance {
  return answers > 0 ? "predicted" : "assumed";
}

function priorWords(plan: DecodePlan | undefined, { host, device }: Bandwidths): string {
  if (plan === undefined || decodePrior(plan) === undefined) {
    return "from how fast this machine answered in other configurations or with other models";
  }
  const used = plan.reads.filter(({ bytesPerToken }) => bytesPerToken > 0);
  const words = used.map((read) => {
    const known = read.device === "gpu" ? device : host;
    const rate = ((known?.bytesPerSecond ?? 0) / 1e9).toFixed(1);
    return `${(read.bytesPerToken / 1e6).toFixed(0)} MB at ${rate} GB/s (${known?.source ?? "unknown"})`;
  });
  return `what a token reads: ${words.join(" and ")}; no answer yet, good for ±30 %`;
}
