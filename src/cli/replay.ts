/** `plimsoll replay`: recorded seconds through the same detector that watches live memory. */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { sentenceOf } from "../alerts/words.ts";
import { replayRun } from "../alerts/replayRun.ts";
import { EXIT } from "./exit.ts";
import { readRecording } from "./replayFiles.ts";
import { replayText } from "./replayText.ts";
import type { Command } from "./command.ts";
import { readSettings } from "./settings.ts";
import { remark, say, sayJson } from "./terminal.ts";

export const replay: Command = {
  summary: "run recorded memory through the detector: which alerts, how early, how many false",
  usage: `plimsoll replay FILE.csv|FILE.samples.jsonl|plimsoll.db [options]

  --runs FILE     what really happened, by file name: total, group limit, event, announced load (a runs.json)
  --total BYTES   memory of the machine, where the recording does not say: 17179869184, 16GiB
  --json          {event, eventAtSeconds, leadSeconds, falseAlarms, episodes}
  --speed N       show it on a page instead, N times as fast as it was, until Ctrl-C
  --listen H:P    where that page is (127.0.0.1:11435)

Reads /proc-style tables, our own exports and database, and captured readings with their requests beside them. Without
--runs the event is found in the readings: the first lasting swap-out, or files read again and again. The lead is counted
from the moment of the warning that is open at the event. Exit 0 whatever was found.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        runs: { type: "string" },
        total: { type: "string" },
        json: { type: "boolean" },
        speed: { type: "string" },
        listen: { type: "string" },
      },
    });
    const [path, ...more] = positionals;
    if (path === undefined || more.length > 0) {
      remark("plimsoll replay: name one recording. See plimsoll replay --help.\n");
      return EXIT.usage;
    }
    const totalBytes = values.total === undefined ? undefined : readBytes(values.total);
    if (values.total !== undefined && totalBytes === undefined) {
      remark(`plimsoll replay: --total "${values.total}" is no size: expected 17179869184 or 16GiB\n`);
      return EXIT.usage;
    }
    const speed = values.speed === undefined ? undefined : Number(values.speed);
    if (speed !== undefined && !(speed >= 0.1 && speed <= MOST_SPEED)) {
      remark(
        `plimsoll replay: --speed "${values.speed ?? ""}" is no speed: expected 1 to ${MOST_SPEED}, how much faster than life\n`,
      );
      return EXIT.usage;
    }
    const { samples, truth } = readRecording(path, { runsPath: values.runs, totalBytes });
    if (speed !== undefined) {
      const flags = values.listen === undefined ? [] : ["--listen", values.listen];
      // The whole program: only for those who want to look.
      const { playOnPage } = await import("./replayLive.ts");
      return playOnPage({ name: basename(path), samples, speed, settings: readSettings(flags) });
    }
    const result = replayRun(samples, truth, (reading, level) => ({
      text: sentenceOf(reading, level),
      causes: [],
      remedies: [],
    }));
    if (values.json === true) sayJson(result);
    else say(replayText(basename(path), samples, result));
    return EXIT.good;
  },
};

const MOST_SPEED = 20;

const UNITS: Record<string, number> = { "": 0, k: 1, m: 2, g: 3, t: 4 };

/** `17179869184`, `16GiB`, `16G`. */
export function readBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = Math.round(Number(match?.[1]) * 1024 ** (UNITS[match?.[2]?.toLowerCase() ?? ""] ?? 0));
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
