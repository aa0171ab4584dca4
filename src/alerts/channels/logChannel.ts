/** A line on standard error for each message. */
import type { Log } from "../../types.ts";
import type { AlertLevel, Channel } from "./channel.ts";

/** Always there, always delivers. */
export function createLogChannel(
  settings: { name?: string | undefined; minimumLevel: AlertLevel },
  log: Pick<Log, "info" | "warn">,
): Channel {
  return {
    name: settings.name ?? "log",
    type: "log",
    minimumLevel: settings.minimumLevel,
    timeLimitMs: 1000,
    // It wakes nobody.
    neverQuiet: true,
    async send({ state, title, text, causes, fixes, level }) {
      const [fix] = fixes;
      const fields = {
        level,
        ...(causes !== undefined && { causes }),
        ...(fix !== undefined && { fix: [fix.text, ...fix.commands].join(": ") }),
      };
      const write = state === "ended" || state === "test" ? log.info : log.warn;
      write(`${title}. ${text}`, fields);
    },
  };
}
