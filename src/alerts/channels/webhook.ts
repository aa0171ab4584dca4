/** A POST of JSON: our own shape, Slack's (Mattermost takes it too) or Discord's. */
import type { AlertMessage, Channel, ChannelSettings } from "./channel.ts";
import { bearer, post } from "./post.ts";
import { bodyLines } from "./wording.ts";

type WebhookSettings = Extract<ChannelSettings, { type: "webhook" }>;

const TIME_LIMIT_MS = 5000;
/** Discord refuses a longer message as a whole. */
const LONGEST_DISCORD = 2000;
const LONGEST_SLACK = 8000;
/** Discord: show no preview of whatever looks like a link. */
const SUPPRESS_EMBEDS = 4;

/** Any 2xx is delivered; the `Idempotency-Key` is the same for the same news. */
export function createWebhook(settings: WebhookSettings): Channel {
  return {
    name: settings.name ?? "webhook",
    type: "webhook",
    minimumLevel: settings.minimumLevel,
    timeLimitMs: TIME_LIMIT_MS,
    send: (message, signal) =>
      post(settings.url, {
        body: JSON.stringify(FORMATS[settings.format](message)),
        headers: { "Idempotency-Key": message.key, ...bearer(settings.token) },
        signal,
      }),
  };
}

/** The bodies by format. */
export const FORMATS: Record<WebhookSettings["format"], (message: AlertMessage) => object> = {
  json: jsonBody,
  slack: (message) => ({ text: cut(escapeSlack(plainText(message)), LONGEST_SLACK), mrkdwn: false }),
  discord: (message) => ({
    content: cut(escapeMarkdown(plainText(message)), LONGEST_DISCORD),
    // A model named @everyone calls nobody.
    allowed_mentions: { parse: [] },
    flags: SUPPRESS_EMBEDS,
  }),
};

/** Version 1 of the shape in the README. Fields may be added to it. */
export function jsonBody(message: AlertMessage): object {
  const { state, level, at, title, text, causes, fixes, host, pageUrl, episode } = message;
  return { version: 1, event: "alert", state, level, at, host, title, text, causes, fixes, pageUrl, episode };
}

function plainText(message: AlertMessage): string {
  return [message.title, ...bodyLines(message), `${message.host} · ${message.pageUrl}`].join("\n");
}

/** Slack reads `<…>` as links and mentions wherever it stands. */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\*_~`|>#[\]()@-]/g, "\\$&");
}

function cut(text: string, longest: number): string {
  return text.length <= longest
    ? text
    : `${text
        .slice(0, longest - 1)
        .replace(/\\$/, "")
        .toWellFormed()}…`;
}
