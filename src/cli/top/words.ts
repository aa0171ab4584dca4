/** What the page says, in the same words: `test/cli/top` holds the two together. Pure. */
import type {
  Conversation,
  Episode,
  Exchange,
  Forecast,
  MemorySample,
  NoticeKind,
  Stage,
  Verdict,
} from "../../types.ts";
import { rankOf } from "../../alerts/levels.ts";
import { isTurn } from "../../ollama/operations.ts";
import type { TopState } from "./state.ts";

const GIBIBYTE = 1024 ** 3;
const MEBIBYTE = 1024 ** 2;

const grouped = new Intl.NumberFormat("en");

/** `21.4`; whole numbers stay whole. */
function gib(bytes: number): string {
  const value = bytes / GIBIBYTE;
  return Number.isInteger(value) || Math.abs(value) >= 1000
    ? grouped.format(Math.round(value))
    : value.toFixed(1);
}

/** `21.4 GiB`, below a tenth of it in MiB; a dash for what is not known. */
export function bytes(value: number | undefined): string {
  if (value === undefined) {
    return "–";
  }
  const size = Math.abs(value);
  if (size < MEBIBYTE / 2) {
    return "0 MiB";
  }
  return size < GIBIBYTE / 10 ? `${Math.round(value / MEBIBYTE)} MiB` : `${gib(value)} GiB`;
}

export function count(value: number | undefined): string {
  return value === undefined ? "–" : grouped.format(Math.round(value));
}

export function rate(perSecond: number | undefined): string {
  if (perSecond === undefined || !Number.isFinite(perSecond)) {
    return "–";
  }
  return perSecond >= 99.95 ? count(perSecond) : perSecond.toFixed(1);
}

/** `+4.2 %`. */
export function error(ratio: number | undefined): string {
  if (ratio === undefined || !Number.isFinite(ratio)) {
    return "–";
  }
  const percent = ratio * 100;
  const text = Math.abs(percent).toFixed(Math.abs(percent) >= 10 ? 0 : 1);
  const sign = Number(text) === 0 ? "" : percent < 0 ? "−" : "+";
  return `${sign}${text} %`;
}

/** A duration that is over: `420 ms`, `12.3 s`, `1 min 04 s`. */
export function duration(milliseconds: number | undefined): string {
  if (milliseconds === undefined) {
    return "–";
  }
  if (milliseconds < 999.5) {
    return `${Math.round(milliseconds)} ms`;
  }
  return milliseconds < 59_950 ? `${(milliseconds / 1000).toFixed(1)} s` : elapsed(milliseconds + 500);
}

/** Whole seconds: `12 s`, `1 min 04 s`, `2 h 05 min`. */
export function elapsed(milliseconds: number): string {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1000);
  const minutes = Math.floor(seconds / 60);
  if (seconds < 60) {
    return `${seconds} s`;
  }
  return minutes < 60
    ? `${minutes} min ${pad(seconds % 60)} s`
    : `${grouped.format(Math.floor(minutes / 60))} h ${pad(minutes % 60)} min`;
}

export function time(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(":");
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

function soon(seconds: number): string {
  if (seconds < 90) {
    return `${Math.max(5, Math.round(seconds / 5) * 5)} s`;
  }
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

export function turns(value: number): string {
  const whole = Math.max(0, Math.round(value));
  return `${count(whole)} ${whole === 1 ? "turn" : "turns"}`;
}

/** What is further away than this will have changed by then. */
const FAR_SECONDS = 6 * 3600;
const FAR_TURNS = 99;

/** `21.4 of 32 GiB used · 6.2 GiB before swap · at this pace in about 14 min or 9 turns`. */
export function memorySentence(
  sample: MemorySample | undefined,
  forecast: Forecast | undefined,
): string | undefined {
  if (sample?.totalBytes === undefined || sample.availableBytes === undefined) {
    return undefined;
  }
  const { totalBytes, availableBytes, headroomBytes, swapTotalBytes } = sample;
  const parts = [`${gib(totalBytes - availableBytes)} of ${gib(totalBytes)} GiB used`];
  const end = swapTotalBytes === 0 ? "memory runs out" : "swap";
  if (headroomBytes !== undefined) {
    parts.push(
      headroomBytes >= 0
        ? `${bytes(headroomBytes)} before ${end}`
        : `${bytes(-headroomBytes)} past the load line`,
    );
  }
  const seconds = forecast?.secondsToSwap?.predicted ?? Infinity;
  const left = forecast?.turnsToSwap?.predicted ?? Infinity;
  const pace = [
    seconds <= FAR_SECONDS ? `about ${soon(seconds)}` : "",
    left <= FAR_TURNS ? turns(left) : "",
  ].filter(Boolean);
  if ((headroomBytes ?? 0) > 0 && pace.length > 0) {
    parts.push(`at this pace in ${pace.join(" or ")}`);
  }
  return parts.join(" · ");
}

/** Notices that mean the answer is not what was asked for, in two or three words. */
export const SERIOUS: Partial<Record<NoticeKind, string>> = {
  truncated: "prompt cut",
  "messages-dropped": "messages dropped",
  "context-shifted": "context shifted",
  "context-full": "context full",
  "prompt-too-long": "prompt too long",
  "ended-early": "ended early",
  "upstream-error": "upstream error",
  cliff: "over the cliff",
  "would-swap": "would swap",
};

const STAGES: Stage[] = ["decoding", "prefill", "loading", "queued"];

export function stageOf({ state, operation }: Exchange): Stage | undefined {
  if ("endedAt" in state) {
    return undefined;
  }
  const answers = isTurn(operation);
  return state.stage ?? (state.phase === "streaming" && answers ? "decoding" : undefined);
}

/** The one word for what goes on. */
export function stateWord(verdict: Verdict | undefined, live: readonly Exchange[]): string {
  if (verdict === undefined) {
    return "connecting";
  }
  if (verdict.state === "swapping") {
    return "swapping";
  }
  const stages = live.map(stageOf);
  return (
    STAGES.find((stage) => stages.includes(stage)) ??
    (live.length > 0 ? "busy" : verdict.state === "unknown" ? "unknown" : "idle")
  );
}

/** `3 turns left`, or a range. */
export function turnsLeft({ turnsLeft: left, endsFirst }: Conversation): string | undefined {
  const { window, memory } = left ?? {};
  const byMemory =
    endsFirst === undefined
      ? memory !== undefined && (window === undefined || memory.predicted < window.predicted)
      : endsFirst === "memory";
  const chosen = byMemory ? (memory ?? window) : (window ?? memory);
  if (chosen === undefined) {
    return undefined;
  }
  const from = Math.floor(Math.max(0, chosen.low ?? chosen.predicted));
  const to = Math.ceil(chosen.high ?? chosen.predicted);
  return to - from <= 1 ? `${turns(chosen.predicted)} left` : `${count(from)}–${turns(to)} left`;
}

/** The worst episode that is open. */
export function openEpisode({ episodes }: TopState): Episode | undefined {
  return episodes
    .filter(({ endedAt }) => endedAt === undefined)
    .toSorted((a, b) => rankOf(b.level) - rankOf(a.level))[0];
}

/** Tokens per second of an answer that is over. */
export function decodeRate({ usage }: Exchange): number | undefined {
  return usage?.outputTokens && usage.decodeMs ? (usage.outputTokens / usage.decodeMs) * 1000 : undefined;
}
