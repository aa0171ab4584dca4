/** The sentence of an alert. Pure. */
import { bytesText, nameText } from "../predict/figureText.ts";
import type { Reading } from "./detector.ts";
import { rankOf, type Level } from "./levels.ts";

/** One sentence for people: what is the matter, how much is left, and how long it lasts. */
export function sentenceOf(reading: Reading, level: Level): string {
  const { sample, judgement, load, turns, trend, fastTrend, signals, headroomBytes } = reading;
  const end = sample.swapTotalBytes === 0 ? "Memory runs out" : "Swapping";
  if (rankOf(level) > rankOf(judgement.level)) {
    return `No worse for the moment: ${beforeEnd(reading)}.`;
  }
  const left =
    headroomBytes > 0
      ? `${bytesText(headroomBytes)} left`
      : `${bytesText(-headroomBytes)} past the load line`;
  switch (judgement.reason) {
    case "refault":
      return `${weightsOrFiles(reading)} read from disk again and again, ${bytesText(sample.refaultBytesPerSecond ?? 0)} each second: memory is too small for what is in use.`;
    case "swap-out":
      return `${bytesText(sample.swapOutBytesPerSecond ?? 0)} go out to swap and ${bytesText(sample.swapInBytesPerSecond ?? 0)} come back each second.`;
    case "parked":
      return "Idle pages are being moved to swap; nothing waits for them.";
    case "load":
      return load?.shortBytes !== undefined && load.shortBytes > 0
        ? `Loading ${nameText(load.model)} needs ${bytesText(load.needBytes ?? 0)}, and ${left}: about ${bytesText(load.shortBytes)} will go to swap.`
        : `Loading ${nameText(load?.model ?? "a model")} leaves ${bytesText(-(load?.shortBytes ?? 0))} before swap.`;
    case "load-of-unknown-size":
      return `${nameText(load?.model ?? "A model")} is about to be loaded with ${left}; what it needs is not known.`;
    case "trend":
      return `${end} expected in ${about(signals.secondsByTrend)}: ${left}, ${bytesText(-(trend?.slope ?? 0))} taken each second.`;
    case "fast-trend":
      return `${end} expected in ${about(signals.secondsByFastTrend)}: ${left}, ${bytesText(-(fastTrend?.slope ?? 0))} taken each second.`;
    case "turns":
      return `${end} expected in ${turnsText(signals.turnsLeft)} (${about(signals.secondsByTurns)} at this pace): ${left}, each turn takes ${bytesText(turns?.bytesPerTurn ?? 0)}.`;
    case "level":
    case "reclaim":
      return level === "critical"
        ? `Memory is nearly used up: ${beforeEnd(reading)}.`
        : `Memory is getting tight: ${beforeEnd(reading)}.`;
    case undefined:
      return `Memory is not short: ${beforeEnd(reading)}.`;
  }
}

/** `about 50 s`, `about 4 min`. */
function about(seconds: number | undefined): string {
  if (seconds === undefined) return "a while";
  if (seconds < 10) return `about ${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 100) return `about ${Math.round(seconds / 5) * 5} s`;
  return `about ${Math.round(seconds / 60)} min`;
}

function turnsText(turns: number | undefined): string {
  if (turns === undefined) return "a few turns";
  if (turns < 1) return "the next turn";
  const whole = Math.floor(turns);
  return `about ${whole} ${whole === 1 ? "turn" : "turns"}`;
}

/** `133 MiB left before swap`, `13 MiB past the load line`. */
function beforeEnd({ sample, headroomBytes }: Reading): string {
  return headroomBytes > 0
    ? `${bytesText(headroomBytes)} left before ${sample.swapTotalBytes === 0 ? "memory runs out" : "swap"}`
    : `${bytesText(-headroomBytes)} past the load line`;
}

function weightsOrFiles({ sample, leftBytes, capacityBytes }: Reading): string {
  const hotBytes = (sample.availableBytes ?? 0) - leftBytes;
  return capacityBytes === sample.totalBytes && hotBytes > 0.05 * capacityBytes
    ? "Model weights are being"
    : "Files are being";
}
