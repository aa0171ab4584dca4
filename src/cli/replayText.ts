/** A replay's outcome for people. */
import type { ReplayResult } from "../alerts/replayRun.ts";
import type { MemorySample } from "../types.ts";

export function replayText(
  name: string,
  samples: readonly MemorySample[],
  { event, eventAtSeconds, leadSeconds, falseAlarms, episodes }: ReplayResult,
): string {
  const length = ((samples.at(-1)?.takenAt ?? 0) / 1000).toFixed(0);
  const what = { swap: "swapping", thrash: "re-reading of files" };
  const lines = [
    `${name}: ${samples.length} readings over ${length} s`,
    event === null ? "  nothing happened" : `  ${what[event]} began at ${eventAtSeconds ?? "?"} s`,
    ...(event === null
      ? []
      : [leadSeconds === null ? "  it was not warned of" : `  warned ${leadSeconds} s before`]),
    `  false alarms: ${falseAlarms}`,
    ...episodes.map((episode) => {
      const warned =
        episode.warnedAtSeconds === undefined || episode.warnedAtSeconds === episode.startedAtSeconds
          ? ""
          : ` (a warning from ${episode.warnedAtSeconds} s)`;
      const end = episode.endedAtSeconds === undefined ? "the end" : `${episode.endedAtSeconds} s`;
      return `  ${episode.startedAtSeconds} s to ${end}${warned}: ${episode.level}${episode.falseAlarm ? ", false alarm" : ""}. ${episode.text}`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}
