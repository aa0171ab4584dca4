/** Words an alert for people. Pure. Whatever clients chose (model names) is made harmless here, once for all channels. */
import { bytesText } from "../../predict/figureText.ts";
import type { Episode, Remedy } from "../../types.ts";
import type { AlertLevel, AlertMessage } from "./channel.ts";

export type Platform = Remedy["commands"][number]["platform"];

/** What a message says of where it comes from; `platform` decides which commands it names. */
export interface Surroundings {
  host: string;
  pageUrl: string;
  platform: Platform;
}

const TITLES: Record<AlertLevel, string> = {
  watch: "memory is getting tight",
  warn: "memory will run short",
  critical: "memory is critically short",
  swapping: "swapping now",
  thrashing: "model weights are being re-read from disk",
};

const GPU_TITLES: Record<AlertLevel, string> = {
  ...TITLES,
  watch: "graphics memory is getting tight",
  warn: "graphics memory will run short",
  critical: "graphics memory is critically short",
};

const LONGEST_TEXT = 1000;
const LONGEST_NAME = 120;
const MOST_FIXES = 3;
const MOST_CAUSES = 3;

/**
 * `context.at`: epoch ms of this message. Its `key` is the same for the same news, so that a receiver can tell a
 * repetition.
 */
export function wordAlert(
  episode: Episode,
  state: "raised" | "level-up" | "reminder" | "ended",
  context: Surroundings & { at: number },
): AlertMessage {
  const level = state === "reminder" ? reminderLevel(episode) : episode.level;
  const ended = state === "ended";
  const titles = episode.kind === "gpu" ? GPU_TITLES : TITLES;
  return {
    state,
    level,
    at: context.at,
    title: `Plimsoll: ${ended ? endedTitle(episode) : titles[level]}`,
    text: ended ? endedText(episode) : clean(episode.text ?? forecastText(episode), LONGEST_TEXT),
    ...(!ended && causesText(episode)),
    fixes: ended
      ? []
      : episode.remedies.slice(0, MOST_FIXES).map((remedy) => fixOf(remedy, context.platform)),
    host: clean(context.host, LONGEST_NAME),
    pageUrl: context.pageUrl,
    key: `${episode.id}-${state}-${state === "reminder" ? context.at : level}`,
    episode: structuredClone(episode),
  };
}

/** Level `warn`, so that it looks as an alert does. */
export function wordTest(context: Surroundings & { at: number }): AlertMessage {
  return {
    state: "test",
    level: "warn",
    at: context.at,
    title: "Plimsoll: test message",
    text: "This is a test: alerts about memory reach you here.",
    fixes: [],
    host: clean(context.host, LONGEST_NAME),
    pageUrl: context.pageUrl,
    key: `test-${context.at}`,
  };
}

/** Everything after the title as lines of plain text. */
export function bodyLines(message: AlertMessage): string[] {
  return [
    message.text,
    ...(message.causes === undefined ? [] : [message.causes]),
    ...message.fixes.flatMap(({ text, commands }) => [text, ...commands.map((command) => `  ${command}`)]),
  ];
}

/**
 * One line of visible characters: control characters could drive a terminal or end a header line, and marks that turn
 * the direction of writing could make a text say something else than it does.
 */
export function clean(text: string, longest: number): string {
  const visible = text
    // oxlint-disable-next-line no-control-regex
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "")
    .toWellFormed()
    .trim();
  return visible.length > longest ? `${visible.slice(0, longest - 1).toWellFormed()}…` : visible;
}

function reminderLevel(episode: Episode): AlertLevel {
  const now = episode.currentLevel;
  return now === undefined || now === "ok" ? episode.level : now;
}

function forecastText({ forecast, headroomBytes }: Episode): string {
  if (forecast?.secondsToSwap !== undefined) {
    return `Swapping is expected in about ${Math.max(0, Math.round(forecast.secondsToSwap))} s at this pace.`;
  }
  return headroomBytes === undefined
    ? "Memory is running short."
    : `${bytesText(Math.max(0, headroomBytes))} are left before the machine starts to swap.`;
}

function endedTitle({ kind }: Episode): string {
  return kind === "gpu" ? "graphics memory is fine again" : "memory is fine again";
}

function endedText(episode: Episode): string {
  const { startedAt, endedAt = startedAt, swapAt, leadSeconds } = episode;
  const swapped =
    swapAt === undefined
      ? "The machine did not swap."
      : leadSeconds === undefined || leadSeconds <= 0
        ? "The machine swapped."
        : `The machine swapped, ${Math.round(leadSeconds)} s after the alert.`;
  return `It lasted ${durationText(endedAt - startedAt)}. ${episode.kind === "gpu" ? "" : swapped}`.trim();
}

function causesText({ causes }: Episode): { causes?: string } {
  const largest = causes.slice(0, MOST_CAUSES).filter(({ bytes }) => bytes > 0);
  return largest.length === 0
    ? {}
    : {
        causes: `Largest: ${largest.map(({ name, bytes }) => `${clean(name, LONGEST_NAME)} ${bytesText(bytes)}`).join(", ")}`,
      };
}

function fixOf(remedy: Remedy, platform: Platform): AlertMessage["fixes"][number] {
  const own = remedy.commands.filter(
    (command) => command.platform === platform || command.platform === "any",
  );
  const commands = own.length > 0 ? own : remedy.commands.slice(0, 1);
  return {
    text: clean(remedy.text, LONGEST_TEXT),
    commands: commands.map((command) => clean(command.text, LONGEST_TEXT)),
  };
}

/** Readings come once a second: no part of one is known. */
function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
