/** The channels of alerts as the settings want them. */
import os from "node:os";
import { createChannels, type Channels } from "./alerts/channels/channels.ts";
import type { Programs } from "./alerts/channels/desktop.ts";
import { parseQuietHours } from "./alertSettings.ts";
import { parseListen, type Config } from "./config.ts";
import type { Log } from "./types.ts";

export function createAlertChannels(parts: {
  config: Config;
  programs: Programs | undefined;
  now: () => number;
  log: Log;
}): Channels {
  const { alerts, listen } = parts.config;
  return createChannels({
    settings: alerts.channels,
    quietHours: parseQuietHours(alerts.quietHours ?? ""),
    quietHoursLevel: alerts.quietHoursLevel,
    reminderMinutes: alerts.reminderMinutes,
    surroundings: {
      host: os.hostname(),
      pageUrl: pageUrl(listen),
      platform: parts.programs?.platform ?? "any",
    },
    programs: parts.programs,
    now: parts.now,
    log: parts.log,
  });
}

/** Where the page is, as a message names it. */
function pageUrl(listen: string): string {
  const { host, port } = parseListen(listen) ?? { host: "127.0.0.1", port: 11435 };
  const everywhere = host === "0.0.0.0" || host === "::";
  const name = everywhere ? os.hostname() : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}/plimsoll/`;
}
