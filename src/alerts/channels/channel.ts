/** What the channels have in common: a message, a way to send it, and why it could not be sent. */
import type { Episode } from "../../types.ts";

export type AlertLevel = Episode["level"];

/** One thing to be told, worded. Text is plain, without control characters, safe to show anywhere but in markup. */
export interface AlertMessage {
  /** `raised`, a worse level, still open, over; or a test. */
  state: "raised" | "level-up" | "reminder" | "ended" | "test";
  level: AlertLevel;
  at: number;
  /** One line, starts with `Plimsoll`. */
  title: string;
  /** What is happening: one sentence or two. */
  text: string;
  /** The largest contributors in one line, if known. */
  causes?: string;
  /** What to do, each with the commands for this system. */
  fixes: { text: string; commands: string[] }[];
  /** The computer it is about. */
  host: string;
  /** Where the page is. */
  pageUrl: string;
  /** The same for each attempt to send this message. */
  key: string;
  episode?: Episode;
}

export interface Channel {
  name: string;
  type: string;
  minimumLevel: AlertLevel;
  /** How long one attempt may take. */
  timeLimitMs: number;
  /** Told at all hours. */
  neverQuiet?: boolean;
  /** Why it cannot work here at all, known without a try. */
  unusable?: string | undefined;
  /** Resolves once delivered. Rejects with a `DeliveryError`. Gives up when the signal says so. */
  send(message: AlertMessage, signal: AbortSignal): Promise<void>;
  /** Starts helper programs, while starting one is still cheap. */
  start?(): void;
  close?(): void;
}

/** Why a message was not delivered. `message` never holds an address or a token; `again`: a later try may succeed. */
export class DeliveryError extends Error {
  override name = "DeliveryError";
  readonly again: boolean;

  constructor(message: string, again: boolean) {
    super(message);
    this.again = again;
  }
}

/** The part of the settings that makes a channel. */
export type ChannelSettings = {
  name?: string | undefined;
  minimumLevel: Exclude<AlertLevel, "thrashing">;
} & (
  | { type: "log" | "desktop" }
  | { type: "webhook"; url: string; format: "json" | "slack" | "discord"; token?: string | undefined }
  | { type: "ntfy"; url: string; token?: string | undefined }
  | { type: "command"; command: readonly string[] }
);
