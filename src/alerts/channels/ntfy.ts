/** A push message through an ntfy server: https://docs.ntfy.sh/publish/#publish-as-json */
import type { AlertLevel, AlertMessage, Channel, ChannelSettings } from "./channel.ts";
import { bearer, post } from "./post.ts";
import { bodyLines } from "./wording.ts";

const TIME_LIMIT_MS = 5000;
/** ntfy turns a longer message into an attachment. */
const LONGEST_BYTES = 4000;

const PRIORITIES: Record<AlertLevel, number> = { watch: 2, warn: 4, critical: 5, swapping: 5, thrashing: 5 };

/** A message to a topic of an ntfy server, as JSON, so that a title may hold any character. */
export function createNtfy(settings: Extract<ChannelSettings, { type: "ntfy" }>): Channel {
  const { server, topic } = splitTopic(settings.url);
  return {
    name: settings.name ?? "ntfy",
    type: "ntfy",
    minimumLevel: settings.minimumLevel,
    timeLimitMs: TIME_LIMIT_MS,
    // As JSON and not in headers, which hold neither line ends nor anything beyond ASCII.
    send: (message, signal) =>
      post(server, {
        body: JSON.stringify(ntfyBody(topic, message)),
        headers: bearer(settings.token),
        signal,
      }),
  };
}

/** JSON goes to the server's root with the topic inside. A server may live under a path of its own. */
export function splitTopic(address: string): { server: string; topic: string } {
  const url = new URL(address);
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const topic = decodeURIComponent(parts.pop() ?? "");
  url.pathname = `/${parts.map((part) => `${part}/`).join("")}`;
  return { server: url.href, topic };
}

/** The fields of ntfy's publish API; priority 1 to 5 by level. */
export function ntfyBody(topic: string, message: AlertMessage): object {
  const over = message.state === "ended" || message.state === "test";
  return {
    topic,
    title: message.title,
    message: cutBytes(bodyLines(message).join("\n"), LONGEST_BYTES),
    priority: over ? 3 : PRIORITIES[message.level],
    tags: [over ? "white_check_mark" : "warning"],
    click: message.pageUrl,
  };
}

function cutBytes(text: string, longest: number): string {
  const bytes = Buffer.from(text);
  // A character cut in two becomes a replacement character at the end, which is taken off again.
  return bytes.length <= longest
    ? text
    : `${bytes
        .subarray(0, longest)
        .toString()
        .replace(/\ufffd$/, "")}…`;
}
