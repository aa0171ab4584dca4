/** The verdict: is memory safe, and what is going on, in one sentence. Pure. */
import { judge, rankOf } from "./alerts/levels.ts";
import type { Exchange, Forecast, Health, MemorySample, Verdict } from "./types.ts";

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

export function verdictOf(parts: {
  sample: MemorySample | undefined;
  live: readonly Exchange[];
  health: Health;
  /** What the watch over memory says: it knows trends, and lets a level go only when things are clearly better. */
  alertLevel?: Exclude<Verdict["level"], "unknown">;
  forecast?: Forecast;
}): Verdict {
  const { sample, alertLevel = "ok" } = parts;
  const now = levelOf(sample);
  // "No alert" says nothing where memory cannot be read.
  const level =
    alertLevel !== "ok" && (now === "unknown" || rankOf(alertLevel) > rankOf(now)) ? alertLevel : now;
  const state = level === "swapping" || level === "thrashing" ? "swapping" : activityOf(parts.live);
  // What happens already is not foretold.
  const pace = state === "swapping" ? "" : paceText(sample, parts.forecast);
  return { state, level, text: `${sentence(sample, parts.health)}${pace}` };
}

/** ` · at this pace in about 14 min or 9 turns`: only while there is something left to run out. */
function paceText(sample: MemorySample | undefined, forecast: Forecast | undefined): string {
  if (sample === undefined || (sample.headroomBytes ?? 0) <= 0) {
    return "";
  }
  const seconds = forecast?.secondsToSwap?.predicted;
  const turns = forecast?.turnsToSwap?.predicted;
  const parts = [
    ...(seconds === undefined || seconds < 1
      ? []
      : [seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`]),
    ...(turns === undefined || turns > 99
      ? []
      : [turns < 1 ? "the next turn" : `${Math.floor(turns)} ${turns < 2 ? "turn" : "turns"}`]),
  ];
  return parts.length === 0 ? "" : ` · at this pace in about ${parts.join(" or ")}`;
}

/** What the machine is doing for its clients: the furthest stage any exchange has reached. */
function activityOf(live: readonly Exchange[]): Verdict["state"] {
  const stages = live
    .filter((exchange) => exchange.operation !== "other")
    .map((exchange) => (exchange.state.phase === "streaming" ? "decoding" : stageOf(exchange)));
  return (
    (["decoding", "prefill", "loading", "queued"] as const).find((stage) => stages.includes(stage)) ?? "idle"
  );
}

function stageOf(exchange: Exchange): "decoding" | "prefill" | "loading" | "queued" {
  return exchange.state.phase === "waiting" ? (exchange.state.stage ?? "prefill") : "prefill";
}

/** By this reading alone: what is left, as a share of the machine, and whether swapping is measured. */
function levelOf(sample: MemorySample | undefined): Verdict["level"] {
  if (sample === undefined) {
    return "unknown";
  }
  if ((sample.swapOutBytesPerSecond ?? 0) >= MIB) {
    return "swapping";
  }
  const { headroomBytes, floorBytes, totalBytes } = sample;
  if (headroomBytes === undefined || totalBytes === undefined) {
    return "unknown";
  }
  return judge({ leftRatio: (headroomBytes + (floorBytes ?? 0)) / totalBytes }).level;
}

function sentence(sample: MemorySample | undefined, health: Health): string {
  if (sample?.totalBytes === undefined || sample.availableBytes === undefined) {
    return health.sampler.state === "remote"
      ? "Memory of that host is not visible from here."
      : "Memory has not been read yet.";
  }
  const used = `${gib(sample.totalBytes - sample.availableBytes)} of ${gib(sample.totalBytes)} GiB used`;
  if (sample.headroomBytes === undefined) {
    return used;
  }
  const end = sample.swapTotalBytes === 0 ? "memory runs out" : "swap";
  return sample.headroomBytes > 0
    ? `${used} · ${gib(sample.headroomBytes)} GiB before ${end}`
    : `${used} · ${gib(-sample.headroomBytes)} GiB past the load line`;
}

/** `16`, not `16.0`: whole sizes of memory are whole. */
function gib(bytes: number): string {
  return (bytes / GIB).toFixed(1).replace(/\.0$/, "");
}
