/** Runs recorded seconds through the detector and counts: leads, misses, false alarms. Pure. */
import type { Episode, MemorySample } from "../types.ts";
import { createDetector, type AnnouncedLoad, type Reading } from "./detector.ts";
import { createEpisodes, type Described } from "./episodes.ts";
import { isWarning, type Level } from "./levels.ts";

/** What is known of a recording beside its readings. Times in seconds from its first reading. */
export interface RunTruth extends Event {
  loads: (AnnouncedLoad & { startsAtSeconds: number; endsAtSeconds?: number })[];
  turnsAtSeconds: number[];
  /** What each of these turns was known to leave in memory. */
  expectedTurnBytes?: readonly (number | undefined)[];
}

/** Where the event lies when nobody says: the first page of a swap-out that goes on, or files read again and again. */
export type Event = Pick<ReplayResult, "event"> & { eventAtSeconds?: number };

export interface ReplayedEpisode {
  level: Episode["level"];
  /** Of the episode, and of the moment from which it was a warning. */
  startedAtSeconds: number;
  warnedAtSeconds?: number;
  endedAtSeconds?: number;
  /** Which measured sign raised it, or what was expected. */
  reason?: string;
  text: string;
  headroomBytes?: number;
  lowestHeadroomBytes?: number;
  outcome?: Episode["outcome"];
  falseAlarm: boolean;
}

export interface ReplayResult {
  event: "swap" | "thrash" | null;
  eventAtSeconds: number | null;
  leadSeconds: number | null;
  falseAlarms: number;
  episodes: ReplayedEpisode[];
}

/** As in `episodes.ts`: an event so long after the rise still proves it right. */
const PROOF_SECONDS = 120;
const ENDED_BEFORE_SECONDS = 10;

/** `samples`: in order, one a second, `takenAt` in ms since the first. */
export function replayRun(
  samples: readonly MemorySample[],
  truth: RunTruth,
  describe: (reading: Reading, level: Level) => Described,
  onReading: (reading: Reading) => void = () => {},
): ReplayResult {
  const detector = createDetector();
  const tracked: (ReplayedEpisode & { id: string; measured: boolean })[] = [];
  let count = 0;
  let reading: Reading | undefined;
  const episodes = createEpisodes({
    newId: () => String((count += 1)),
    describe,
    onChange(episode, change) {
      if (change === "raised" || change === "repeated") {
        tracked.push({
          id: episode.id,
          level: episode.level,
          startedAtSeconds: seconds(episode.startedAt),
          reason: reading?.judgement.reason,
          text: episode.text ?? "",
          headroomBytes: episode.headroomBytes,
          falseAlarm: false,
          measured: false,
        });
      }
      const row = tracked.find(({ id }) => id === episode.id);
      if (row === undefined) return;
      const level = reading?.judgement.level ?? "ok";
      if (row.warnedAtSeconds === undefined && isWarning(level)) {
        row.warnedAtSeconds = seconds(reading?.atMs ?? 0);
        row.reason = reading?.judgement.reason;
        row.measured = row.reason === "swap-out" || row.reason === "refault";
        row.text = episode.text ?? "";
      }
      row.level = episode.level;
      row.lowestHeadroomBytes = episode.lowestHeadroomBytes;
      row.outcome = episode.outcome;
      if (episode.endedAt !== undefined) row.endedAtSeconds = seconds(episode.endedAt);
    },
  });
  const take = (next: Reading | undefined): void => {
    if (next === undefined) return;
    reading = next;
    onReading(next);
    episodes.feed(next, next.atMs);
  };

  const happenings = happeningsOf(truth);
  for (const sample of samples) {
    for (let next = happenings[0]; next !== undefined && next.atMs <= sample.takenAt; next = happenings[0]) {
      happenings.shift();
      if (next.kind === "turn") detector.turnStarted(next.atMs, next.expectedBytes);
      else if (next.kind === "load-ends") detector.loadEnded(next.load.id, next.atMs);
      else take(detector.announceLoad(next.load, next.atMs));
    }
    take(detector.feed(sample, sample.takenAt));
  }

  return score(truth, tracked);
}

type Happening =
  | { kind: "turn"; atMs: number; expectedBytes?: number }
  | { kind: "load-starts" | "load-ends"; atMs: number; load: AnnouncedLoad };

function happeningsOf(truth: RunTruth): Happening[] {
  const turns = truth.turnsAtSeconds.map((at, index): Happening => ({
    kind: "turn",
    atMs: at * 1000,
    expectedBytes: truth.expectedTurnBytes?.[index],
  }));
  const loads = truth.loads.flatMap((load): Happening[] => [
    { kind: "load-starts", atMs: load.startsAtSeconds * 1000, load },
    ...(load.endsAtSeconds === undefined
      ? []
      : [{ kind: "load-ends" as const, atMs: load.endsAtSeconds * 1000, load }]),
  ]);
  return [...turns, ...loads].toSorted((a, b) => a.atMs - b.atMs);
}

const MEBIBYTE = 1024 ** 2;
/** So much within three seconds is more than a stray page. */
const SWAPPED_BYTES = 2 * MEBIBYTE;
const THRASH_MS = 3000;

/** Finds the event in readings as they were recorded, however often they were taken. Swapping says more than re-reading. */
export function findEvent(samples: readonly MemorySample[]): Event {
  const swapped = samples.findIndex(
    (sample, index) =>
      (sample.swapOutBytesPerSecond ?? 0) > 0 && swappedSoon(samples, index) >= SWAPPED_BYTES,
  );
  if (swapped !== -1) return { event: "swap", eventAtSeconds: seconds(samples[swapped]?.takenAt ?? 0) };
  let since: number | undefined;
  for (const sample of samples) {
    const rereads =
      (sample.refaultBytesPerSecond ?? 0) >= 10 * MEBIBYTE && (sample.pressureSomeRatio ?? 0) >= 0.1;
    since = rereads ? (since ?? sample.takenAt) : undefined;
    if (since !== undefined && sample.takenAt - since >= THRASH_MS - 1000) {
      return { event: "thrash", eventAtSeconds: seconds(since) };
    }
  }
  return { event: null };
}

function swappedSoon(samples: readonly MemorySample[], from: number): number {
  let bytes = 0;
  const until = (samples[from]?.takenAt ?? 0) + 3000;
  for (let index = from; index < samples.length; index += 1) {
    const sample = samples[index];
    if (sample === undefined || sample.takenAt >= until) break;
    const elapsedMs = sample.takenAt - (samples[index - 1]?.takenAt ?? sample.takenAt);
    bytes += ((sample.swapOutBytesPerSecond ?? 0) * elapsedMs) / 1000;
  }
  return bytes;
}

function score(
  { event, eventAtSeconds: eventAt }: Event,
  tracked: (ReplayedEpisode & { id: string; measured: boolean })[],
): ReplayResult {
  const warned = tracked.filter(({ warnedAtSeconds }) => warnedAtSeconds !== undefined);
  const forEvent =
    event === null || eventAt === undefined
      ? undefined
      : warned.findLast(
          ({ warnedAtSeconds = Infinity, endedAtSeconds = Infinity }) =>
            warnedAtSeconds <= eventAt && endedAtSeconds >= eventAt - ENDED_BEFORE_SECONDS,
        );
  for (const row of warned) {
    const from = row.warnedAtSeconds ?? 0;
    const to = Math.max(row.endedAtSeconds ?? Infinity, from + PROOF_SECONDS);
    const proven = event !== null && eventAt !== undefined && eventAt >= from && eventAt <= to;
    // What rises after the event is about the swapping that goes on.
    const after =
      event !== null && eventAt !== undefined && from >= eventAt && row.startedAtSeconds >= eventAt;
    row.falseAlarm = row !== forEvent && !proven && !after && !row.measured;
  }
  return {
    event,
    eventAtSeconds: event === null ? null : (eventAt ?? null),
    leadSeconds:
      forEvent === undefined || eventAt === undefined
        ? null
        : Math.round((eventAt - (forEvent.warnedAtSeconds ?? 0)) * 10) / 10,
    falseAlarms: warned.filter(({ falseAlarm }) => falseAlarm).length,
    episodes: tracked.map(({ id: _id, measured: _measured, ...row }) => row),
  };
}

function seconds(ms: number): number {
  return Math.round(ms / 10) / 100;
}
