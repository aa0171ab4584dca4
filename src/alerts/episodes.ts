/** From judgements to episodes: one from its rise to its end, updated and not repeated, with what came of it. */
import type { Episode } from "../types.ts";
import type { Reading } from "./detector.ts";
import { isWarning, rankOf, type Level, type Reason } from "./levels.ts";

/**
 * What happened to an episode. `raised` and `escalated` are news; a `repeated` one rose again for the same reason
 * within ten minutes of the end of one as high, and is shown but not sent; `updated` has new figures; `ended` is over,
 * and `settled` is its outcome when that becomes known later.
 */
export type EpisodeChange = "raised" | "escalated" | "repeated" | "updated" | "ended" | "settled";

/** What the words and figures of an episode are made from. */
export interface Described {
  text: string;
  causes: Episode["causes"];
  remedies: Episode["remedies"];
  forecast?: Episode["forecast"];
}

export interface Episodes {
  /** Once for each reading; `at` epoch ms, for what people see. */
  feed(reading: Reading, at: number): void;
  /** A runner ended or a load was given up: memory came back because somebody acted. */
  relieved(): void;
  open(): Episode | undefined;
}

export interface EpisodesParts {
  newId: () => string;
  describe: (reading: Reading, level: Level) => Described;
  onChange: (episode: Episode, change: EpisodeChange) => void;
}

/** For so long only a lower level must have held before an alert steps down or ends; longer where it was critical. */
const CLEAR_MS = 30_000;
const CLEAR_AFTER_CRITICAL_MS = 60_000;
/** One that rises again for the same reason within this is shown and not sent. */
const COOLDOWN_MS = 600_000;
/** An event so long after the rise still proves it right. */
const PROOF_MS = 120_000;
/** New figures of an open alert are told no more often. */
const UPDATE_MS = 1000;

interface OpenEpisode {
  episode: Episode;
  reason: Reason | undefined;
  current: Level;
  /** Since when only a lower level would hold. */
  calmSinceMs?: number;
  warnedAtMs?: number;
  raisedAtMs: number;
  /** It rose because of what was measured: nothing was foretold, and nothing was wrong. */
  measured: boolean;
  relieved: boolean;
  /** An alert as high as this ended a moment ago: only what is higher is news. */
  knownRank: number;
  /** What was said when it was worst: what is kept of it. */
  worstText?: string;
  told: string;
  toldAtMs: number;
}

/**
 * At most one is open. It clears after 30 s of calm, a critical one after 60, and what came of it is settled then, or
 * two minutes after its rise if that is later: swapping proves it right; without, and unless somebody made room, it
 * was a false alarm.
 */
export function createEpisodes(parts: EpisodesParts): Episodes {
  let current: OpenEpisode | undefined;
  /** Ended, but what came of them may still be seen. */
  let unsettled: OpenEpisode[] = [];
  const endings = new Map<string, { rank: number; atMs: number }>();

  const tell = (open: OpenEpisode, change: EpisodeChange, atMs: number): void => {
    open.toldAtMs = atMs;
    open.told = JSON.stringify(open.episode);
    parts.onChange(structuredClone(open.episode), change);
  };

  const describe = (open: OpenEpisode, reading: Reading): void => {
    const { episode } = open;
    Object.assign(episode, parts.describe(reading, open.current));
    episode.currentLevel = open.current;
    if (episode.lowestHeadroomBytes === undefined || reading.headroomBytes < episode.lowestHeadroomBytes) {
      episode.lowestHeadroomBytes = reading.headroomBytes;
    }
  };

  const rise = (reading: Reading, at: number): void => {
    const { judgement, atMs } = reading;
    const level = judgement.level as Episode["level"];
    const measured = isMeasured(judgement.reason);
    const ended = endings.get(familyOf(judgement.reason));
    const repeats = ended !== undefined && atMs - ended.atMs < COOLDOWN_MS && ended.rank >= rankOf(level);
    const episode: Episode = {
      id: parts.newId(),
      kind: "memory",
      level,
      startedAt: at,
      peakAt: at,
      headroomBytes: reading.headroomBytes,
      thresholdBytes: thresholdOf(reading),
      causes: [],
      remedies: [],
    };
    current = {
      episode,
      reason: judgement.reason,
      current: judgement.level,
      raisedAtMs: atMs,
      warnedAtMs: isWarning(level) ? atMs : undefined,
      measured,
      relieved: false,
      knownRank: repeats ? ended.rank : 0,
      told: "",
      toldAtMs: atMs,
    };
    describe(current, reading);
    current.worstText = current.episode.text;
    tell(current, repeats ? "repeated" : "raised", atMs);
  };

  const climb = (open: OpenEpisode, reading: Reading, at: number): boolean => {
    const { level, reason } = reading.judgement;
    if (rankOf(level) <= rankOf(open.current)) return false;
    open.calmSinceMs = undefined;
    open.current = level;
    if (rankOf(level) <= rankOf(open.episode.level)) return false;
    open.episode.level = level as Episode["level"];
    open.episode.peakAt = at;
    open.reason = reason;
    if (open.warnedAtMs === undefined && isWarning(level)) {
      // From here on it is a warning: what it said before was only worth a look.
      open.warnedAtMs = reading.atMs;
      open.measured = isMeasured(reason);
      open.episode.headroomBytes = reading.headroomBytes;
      open.episode.thresholdBytes = thresholdOf(reading);
    }
    return true;
  };

  const calm = (open: OpenEpisode, reading: Reading): boolean => {
    const held = reading.eased.level;
    if (rankOf(held) >= rankOf(open.current)) {
      open.calmSinceMs = undefined;
      return false;
    }
    open.calmSinceMs ??= reading.atMs;
    const patience = rankOf(open.current) >= rankOf("critical") ? CLEAR_AFTER_CRITICAL_MS : CLEAR_MS;
    if (reading.atMs - open.calmSinceMs < patience) return false;
    open.calmSinceMs = undefined;
    open.current = held;
    return held === "ok";
  };

  const settle = (open: OpenEpisode, swapAt: number | undefined, swapAtMs: number): void => {
    const { episode } = open;
    if (swapAt !== undefined) {
      episode.swapAt = swapAt;
      episode.outcome = "hit";
      if (open.warnedAtMs !== undefined) {
        episode.leadSeconds = open.measured ? 0 : round((swapAtMs - open.warnedAtMs) / 1000);
      }
    } else if (open.warnedAtMs !== undefined && !open.relieved && !open.measured) {
      episode.outcome = "false-alarm";
    }
  };

  const sawEvent = (open: OpenEpisode, at: number, atMs: number): void => {
    if (open.warnedAtMs !== undefined && open.episode.swapAt === undefined) settle(open, at, atMs);
  };

  return {
    feed(reading, at) {
      const { atMs, signals } = reading;
      const agoMs = atMs - (reading.happensSinceMs ?? atMs);
      const happens = (signals.swapsOut === true && signals.onlyParks !== true) || signals.thrashes === true;
      if (current === undefined && reading.judgement.level !== "ok") rise(reading, at);
      else if (current !== undefined) {
        const open = current;
        const climbed = climb(open, reading, at);
        const over = calm(open, reading);
        describe(open, reading);
        if (climbed) open.worstText = open.episode.text;
        if (happens) sawEvent(open, at - agoMs, atMs - agoMs);
        if (over) {
          open.episode.endedAt = at;
          open.episode.currentLevel = "ok";
          open.episode.text = open.worstText;
          if (open.episode.swapAt === undefined) {
            if (atMs - open.raisedAtMs >= PROOF_MS) settle(open, undefined, atMs);
            else unsettled.push(open);
          }
          endings.set(familyOf(open.reason), { rank: rankOf(open.episode.level), atMs });
          current = undefined;
          tell(open, "ended", atMs);
        } else if (climbed && rankOf(open.current) > open.knownRank) tell(open, "escalated", atMs);
        else if (atMs - open.toldAtMs >= UPDATE_MS && JSON.stringify(open.episode) !== open.told) {
          tell(open, "updated", atMs);
        }
      }
      if (current !== undefined && happens) sawEvent(current, at - agoMs, atMs - agoMs);
      unsettled = unsettled.filter((open) => {
        if (!happens && atMs - open.raisedAtMs < PROOF_MS) return true;
        settle(open, happens ? at - agoMs : undefined, atMs - agoMs);
        if (open.episode.outcome !== undefined) tell(open, "settled", atMs);
        return false;
      });
    },
    relieved() {
      if (current !== undefined) current.relieved = true;
    },
    open: () => current && structuredClone(current.episode),
  };
}

/** What counts as the same alert again. */
function familyOf(reason: Reason | undefined): string {
  if (reason === "load" || reason === "load-of-unknown-size") return "load";
  return isMeasured(reason) || reason === "parked" ? "measured" : "expected";
}

function isMeasured(reason: Reason | undefined): boolean {
  return reason === "swap-out" || reason === "refault";
}

function thresholdOf({ judgement, capacityBytes, leftBytes, headroomBytes }: Reading): number | undefined {
  if (judgement.thresholdRatio === undefined) return undefined;
  // Levels are shares of what can be used; people are shown what is left before swapping.
  return Math.round(judgement.thresholdRatio * capacityBytes - (leftBytes - headroomBytes));
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
