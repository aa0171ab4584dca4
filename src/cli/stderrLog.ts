/** The log of a program that runs, on standard error. */
import type { Config } from "../config.ts";
import { createLog } from "../log.ts";
import type { Log } from "../types.ts";

export function stderrLog(config: Config): Log {
  return createLog({
    level: config.logLevel,
    stream: process.stderr,
    colours: process.stderr.isTTY && process.stderr.hasColors(),
    now: () => Date.now(),
  });
}
