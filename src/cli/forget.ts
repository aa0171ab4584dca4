/** `plimsoll forget`: deletes what was recorded, for good. */
import type { Config } from "../config.ts";
import { countText } from "../predict/figureText.ts";
import type { Forget, Forgotten } from "../store/api.ts";
import { openStore } from "../store/client.ts";
import { StoreRefusal } from "../store/refusal.ts";
import type { Log } from "../types.ts";
import { ownUrl } from "./address.ts";
import { askRunning } from "./askRunning.ts";
import { EXIT } from "./exit.ts";
import { parseMoment } from "./moment.ts";
import type { Command } from "./command.ts";
import { readSettings } from "./settings.ts";
import { remark, say, sayJson } from "./terminal.ts";

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

export const forget: Command = {
  summary: "delete what was recorded: before a day, one conversation, or everything",
  usage: `plimsoll forget (--before DAY | --conversation ID | --all) [--data-dir DIR] [--json]

  --before DAY         what began before this day (2026-01-31) or this long ago (30d, 12h)
  --conversation ID    one conversation
  --all                everything
  --data-dir DIR       where the record is
  --listen HOST:PORT, --token TOKEN   the Plimsoll that uses the record, where one runs: it does the forgetting
  --json               print the counts as JSON

Nothing of what is forgotten stays in the file. Works while Plimsoll runs and while it does not.`,
  async run(args) {
    const { config, dataDir, flags } = readSettings(args, {
      before: { type: "string" },
      conversation: { type: "string" },
      all: { type: "boolean" },
      json: { type: "boolean" },
    });
    const what = whatToForget(flags, Date.now());
    if (what === undefined) {
      remark("plimsoll forget: name one of --before DAY, --conversation ID or --all.\n");
      return EXIT.usage;
    }
    const counts = await forgetHere({ config, dataDir }, what);
    if (flags["json"] === true) {
      sayJson(counts);
    } else {
      say(
        `Forgotten: ${countText(counts.exchanges, "exchange")}, ${countText(counts.samples, "memory sample")}, ${countText(counts.loads, "load")}.\n`,
      );
    }
    return EXIT.good;
  },
};

/** `1 load`, `2 loads`. */
/** Undefined when not exactly one thing was named. Throws on a day that is none. */
export function whatToForget(
  flags: Record<string, string | boolean | undefined>,
  now: number,
): Forget | undefined {
  const named = ["before", "conversation", "all"].filter((name) => flags[name] !== undefined);
  if (named.length !== 1) {
    return undefined;
  }
  if (typeof flags["conversation"] === "string") {
    return { conversationId: flags["conversation"] };
  }
  return typeof flags["before"] === "string"
    ? { beforeAt: parseMoment("--before", flags["before"], now) }
    : { all: true };
}

/** Opens the record itself, or asks the instance that is using it. */
async function forgetHere(where: { config: Config; dataDir: string }, what: Forget): Promise<Forgotten> {
  try {
    const store = await openStore({
      dataDir: where.dataDir,
      now: () => Date.now(),
      monotonic: () => performance.now(),
      // A record that is in use is no trouble here: the instance that uses it is asked instead.
      log: SILENT,
      retention: where.config.retention,
    });
    try {
      return await store.forget(what);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof StoreRefusal && error.code === "locked") {
      return forgottenByRunning(where.config, what);
    }
    throw error;
  }
}

async function forgottenByRunning(config: Config, what: Forget): Promise<Forgotten> {
  const reply = await askRunning(config, "forget", what);
  if (reply === undefined || reply.refusal !== undefined) {
    const url = ownUrl(config.listen);
    throw new Error(
      reply?.refusal ??
        `the record is in use, but no Plimsoll answers at ${url}; name the one that uses it with --listen`,
    );
  }
  return reply.body as Forgotten;
}
