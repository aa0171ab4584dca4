/** The settings of alerts and of the guard: a part of `config.ts`, which reads them. */
import { z } from "zod";

const levels = ["watch", "warn", "critical", "swapping"] as const;

const webUrl = z
  .string()
  .refine(isWebUrl, "expected an http:// or https:// URL, for example https://hooks.example.com/plimsoll");

/** What every channel has; `name` tells two of one kind apart. */
const everyChannel = {
  name: z
    .string()
    .regex(/^[\w.-]{1,40}$/, "expected 1 to 40 letters, digits, dots or dashes")
    .optional()
    .describe("What it is called in messages and in `plimsoll alert --channel`; its type unless given."),
  minimumLevel: z.enum(levels).default("warn").describe("Alerts below this level are not sent here."),
};

const secretToken = z.string().min(1).optional().describe("Sent as `Authorization: Bearer …`; never logged.");

const channel = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("log").describe("A line on standard error."), ...everyChannel }),
  z.strictObject({
    type: z.literal("webhook").describe("A POST of JSON."),
    ...everyChannel,
    url: webUrl.describe("Where to; treated as a secret. A redirect is not followed."),
    format: z
      .enum(["json", "slack", "discord"])
      .default("json")
      .describe("`slack` is understood by Mattermost too."),
    token: secretToken,
  }),
  z.strictObject({
    type: z.literal("ntfy").describe("A push message through an ntfy server."),
    ...everyChannel,
    url: webUrl
      .refine(hasTopic, "expected the address of a topic, for example https://ntfy.sh/my-secret-topic")
      .describe("Server and topic; treated as a secret."),
    token: secretToken,
  }),
  z.strictObject({
    type: z.literal("desktop").describe("notify-send, osascript or a PowerShell toast."),
    ...everyChannel,
  }),
  z.strictObject({
    type: z.literal("command").describe("A program of yours."),
    ...everyChannel,
    command: z
      .array(z.string())
      .refine(
        (command) => (command[0] ?? "") !== "" && !command.some((part) => /[\0\n\r]/.test(part)),
        'expected a list, the program first: ["/usr/local/bin/on-alert", "--loud"]',
      )
      .describe(
        "Program and arguments, run without a shell's interpretation; the alert comes as JSON on stdin.",
      ),
  }),
]);

/** Who is told when memory runs short. */
export const alertSettings = z
  .strictObject({
    channels: z
      .array(channel)
      .max(20)
      .default([{ type: "log", minimumLevel: "warn" }])
      .refine(haveOwnNames, "two channels have the same name; give each its own `name`")
      .describe("Who is told of an alert, besides the page."),
    quietHours: z
      .string()
      .refine(
        (text) => parseQuietHours(text) !== undefined,
        'expected two local times, for example "22:00-07:00"',
      )
      .nullable()
      .default(null)
      .describe("No messages between these local times, which may span midnight; the log is not quiet."),
    quietHoursLevel: z
      .enum([...levels, "none"])
      .default("critical")
      .describe("From this level on a message comes in quiet hours too; `none` lets nothing through."),
    reminderMinutes: z
      .number()
      .min(0)
      .max(1440)
      .default(0)
      .describe("An alert that is still open is sent again after so many minutes; 0 never."),
  })
  .prefault({})
  .describe("Who is told when memory runs short.");

/** What becomes of requests that would make the machine swap. */
export const guardSettings = z
  .strictObject({
    mode: z
      .enum(["off", "observe", "warn", "refuse", "cap"])
      .default("off")
      .describe(
        "What happens to a request whose model would not fit in memory: nothing, a note, an alert, a 503, or a smaller num_ctx.",
      ),
    marginBytes: z
      .number()
      .int()
      .min(0)
      .default(0)
      .describe("Bytes above the load line that a load must leave free."),
  })
  .prefault({})
  .describe("Acts on requests that would make the machine swap, when turned on.");

export const CHANNEL_KEYS = ["type", "name", "minimumLevel", "url", "format", "token", "command"];

/** Fields of a channel whose values may be repeated in a message. */
export const SAFE_OF_CHANNEL = new Set(["type", "name", "minimumLevel", "format"]);

/** `22:00-07:00` as minutes after midnight; undefined for anything else. */
export function parseQuietHours(text: string): { fromMinute: number; toMinute: number } | undefined {
  const match = /^\s*(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s*$/.exec(text);
  if (match === null) {
    return undefined;
  }
  const [fromHour = 0, fromPart = 0, toHour = 0, toPart = 0] = match.slice(1).map(Number);
  const valid = fromHour <= 23 && toHour <= 24 && fromPart <= 59 && toPart <= 59;
  const from = fromHour * 60 + fromPart;
  const to = toHour * 60 + toPart;
  return valid && to <= 1440 && from !== to ? { fromMinute: from, toMinute: to } : undefined;
}

/** `log,desktop`, or the list as JSON. */
export function channelsFromText(text: string): unknown {
  if (text.trim().startsWith("[")) {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  const names = text.split(",").map((part) => part.trim());
  return names.filter((name) => name !== "").map((name) => ({ type: name }));
}

function isWebUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "";
}

function hasTopic(text: string): boolean {
  return /[^/]/.test(URL.parse(text)?.pathname ?? "");
}

function haveOwnNames(channels: readonly { name?: string | undefined; type: string }[]): boolean {
  const names = channels.map(({ name, type }) => name ?? type);
  return new Set(names).size === names.length;
}
