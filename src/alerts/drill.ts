/** A drill: a recorded run through a detector of its own, so that people see what an alert looks like. Touches no record. */
import type { Episode, MemorySample } from "../types.ts";
import { DRILL_RUN } from "./drillRun.ts";
import { createWarner } from "./warner.ts";

export interface Drill {
  /** Plays the run; false while one is being played. */
  start(speed: number): { seconds: number; speed: number } | false;
  /** Ends it at once. */
  stop(): void;
  episodes(): Episode[];
}

const MEBIBYTE = 1024 ** 2;
/** The group recovers after the end of the recording, so that the alert clears too. */
const RECOVERY_SECONDS = 75;

/** `onEpisode` is told as of a real alert, with `drill` set; nothing is recorded or sent. */
export function createDrill(parts: {
  now: () => number;
  newId: () => string;
  onEpisode: (episode: Episode) => void;
  ollamaVersion: () => string | undefined;
}): Drill {
  let timer: NodeJS.Timeout | undefined;
  let open: Episode | undefined;

  const finish = (): void => {
    clearInterval(timer);
    timer = undefined;
    if (open !== undefined) {
      // Cut short: an alert of a drill must not stay on the page.
      open = { ...open, endedAt: parts.now(), currentLevel: "ok" };
      parts.onEpisode(open);
      open = undefined;
    }
  };

  return {
    start(speed) {
      if (timer !== undefined) return false;
      let second = 0;
      const length = DRILL_RUN.leftMebibytes.length + RECOVERY_SECONDS;
      const warner = createWarner({
        now: parts.now,
        monotonic: () => second * 1000,
        newId: () => `drill-${parts.newId()}`,
        models: () => [],
        busy: () => [],
        ollamaVersion: parts.ollamaVersion,
        drill: true,
        onEpisode(episode) {
          open = episode.endedAt === undefined ? episode : undefined;
          parts.onEpisode(episode);
        },
      });
      const play = (): void => {
        if (DRILL_RUN.turns.some((at) => at > second - 1 && at <= second)) warner.turnStarted();
        warner.sampled(drillSample(second, parts.now()));
        second += 1;
        if (second >= length) finish();
      };
      timer = setInterval(play, 1000 / speed).unref();
      return { seconds: Math.round(length / speed), speed };
    },
    stop: finish,
    episodes: () => (open === undefined ? [] : [open]),
  };
}

function drillSample(second: number, takenAt: number): MemorySample {
  const { limitMebibytes, leftMebibytes, swapOutMebibytes, swapInMebibytes } = DRILL_RUN;
  const limitBytes = limitMebibytes * MEBIBYTE;
  const leftBytes = (leftMebibytes[second] ?? limitMebibytes / 2) * MEBIBYTE;
  const floorBytes = Math.round(limitBytes * 0.03);
  return {
    takenAt,
    totalBytes: limitBytes,
    availableBytes: leftBytes,
    headroomBytes: leftBytes - floorBytes,
    floorBytes,
    swapOutBytesPerSecond: (swapOutMebibytes[second] ?? 0) * MEBIBYTE,
    swapInBytesPerSecond: (swapInMebibytes[second] ?? 0) * MEBIBYTE,
    gpus: [],
    runners: [],
    problems: [],
  };
}
