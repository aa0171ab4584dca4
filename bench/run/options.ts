/** What the command line asks for. */
import { parseArgs } from "node:util";

export interface Options {
  quick: boolean;
  /** Names of cases; all if empty. */
  cases: string[];
  /** Names of targets; all if empty. */
  targets: string[];
  rounds?: number;
  seed: number;
  uploadBytes: number;
  withNpmTargets: boolean;
  busyOk: boolean;
  json: boolean;
  /** Where the results are written; nowhere if absent. */
  output?: string;
  /** Path to the main.js of a second build of Plimsoll. */
  otherBuild?: string;
  profileDirectory?: string;
  help: boolean;
}

export class UsageError extends Error {}

/**
 * @param known names that `--case` takes
 * @param resultsDirectory where a whole run writes; a part of a run is only printed, unless `--output` says otherwise
 */
export function readOptions(
  args: readonly string[],
  { known, resultsDirectory }: { known: readonly string[]; resultsDirectory: string },
): Options {
  const values = parse(args);
  const cases = values.case ?? [];
  const targets = values.target ?? [];
  const unknown = cases.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--case ${unknown}: there is no such case. There are ${known.join(", ")}.`);
  }
  const quick = values.quick ?? false;
  const given = (flag: "rounds" | "seed" | "upload-bytes"): number | undefined =>
    values[flag] === undefined ? undefined : positive(`--${flag}`, values[flag]);
  const whole = !quick && cases.length === 0 && targets.length === 0;
  return {
    quick,
    cases,
    targets,
    rounds: given("rounds"),
    seed: given("seed") ?? 1,
    uploadBytes: given("upload-bytes") ?? (quick ? 1e9 : 4e9),
    withNpmTargets: values["with-npm-targets"] ?? false,
    busyOk: values["busy-ok"] ?? false,
    json: values.json ?? false,
    output: values.output ?? (whole ? resultsDirectory : undefined),
    otherBuild: values.other,
    profileDirectory: values["cpu-prof"],
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean" },
        case: { type: "string", multiple: true },
        target: { type: "string", multiple: true },
        rounds: { type: "string" },
        seed: { type: "string" },
        "upload-bytes": { type: "string" },
        "with-npm-targets": { type: "boolean" },
        "busy-ok": { type: "boolean" },
        json: { type: "boolean" },
        output: { type: "string" },
        other: { type: "string" },
        "cpu-prof": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Numbers may be written as `20e9`. */
function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new UsageError(`${flag} ${text}: give a whole number, 1 or more`);
  }
  return value;
}
