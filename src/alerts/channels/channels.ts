/** Who is told of an episode, and when: raised, worse, over; not below a channel's level, not in quiet hours. */
import type { ChannelHealth, Episode, Log } from "../../types.ts";
import { rankOf } from "../levels.ts";
import type { AlertLevel, AlertMessage, Channel, ChannelSettings } from "./channel.ts";
import { createCommand } from "./command.ts";
import { createDelivery, type Delivery } from "./delivery.ts";
import { createDesktop, type Programs } from "./desktop.ts";
import { createLogChannel } from "./logChannel.ts";
import { createNtfy } from "./ntfy.ts";
import { isQuiet, localMinuteOfDay, type QuietHours } from "./quietHours.ts";
import { createWebhook } from "./webhook.ts";
import { wordAlert, wordTest, type Surroundings } from "./wording.ts";

export interface Channels {
  /** Called with each change of an episode, in any order and as often as one likes: what matters is found out here. */
  episodeChanged(episode: Episode): void;
  /** Sends a test message, at any hour, to one channel or all. Undefined when there is none of that name. */
  test(name?: string): Promise<ChannelTest[] | undefined>;
  names(): string[];
  health(): ChannelHealth[];
  /** Starts helper programs: at the start, because starting one when memory is short stalls. */
  start(): void;
  close(): void;
}

export interface ChannelTest {
  channel: string;
  type: string;
  delivered: boolean;
  ms: number;
  problem?: string;
}

export interface ChannelsParts {
  settings: readonly ChannelSettings[];
  quietHours?: QuietHours | undefined;
  /** From this level on a message comes in quiet hours too. */
  quietHoursLevel: AlertLevel | "none";
  reminderMinutes: number;
  surroundings: Surroundings;
  /** Absent where no program may be started: the channels that need one then say so. */
  programs?: Programs | undefined;
  now: () => number;
  log: Log;
  /** Local time; the wall clock's unless given. */
  minuteOfDay?: (at: number) => number;
  pausesMs?: readonly number[];
}

/** How often open episodes are looked at again: for reminders, and for the end of quiet hours. */
const TICK_MS = 20_000;
/** Open episodes that are remembered; there are rarely two. */
const MOST_EPISODES = 50;

/** A channel that fails, or whose program is missing, is told of in `health()` and holds up nobody. */
export function createChannels(parts: ChannelsParts): Channels {
  const { now, log, minuteOfDay = localMinuteOfDay } = parts;
  const deliveries = parts.settings.map((settings) =>
    createDelivery({ channel: createChannel(settings, parts), now, log, pausesMs: parts.pausesMs }),
  );
  const open = new Map<string, Episode>();
  /** What each channel was last told of each open episode. */
  const told = new Map<Delivery, Map<string, { rank: number; at: number }>>(
    deliveries.map((delivery) => [delivery, new Map()]),
  );
  let timer: NodeJS.Timeout | undefined;
  const testing = new Map<string, Promise<ChannelTest>>();

  const isHushed = (channel: Channel, level: AlertLevel): boolean => {
    if (channel.neverQuiet === true || !isQuiet(parts.quietHours, minuteOfDay(now()))) {
      return false;
    }
    const through = parts.quietHoursLevel;
    return through === "none" || rankOf(level) < rankOf(through);
  };

  const word = (episode: Episode, state: "raised" | "level-up" | "reminder" | "ended"): AlertMessage =>
    wordAlert(episode, state, { ...parts.surroundings, at: now() });

  const tell = (delivery: Delivery, episode: Episode): void => {
    const { channel } = delivery;
    const record = told.get(delivery);
    const last = record?.get(episode.id);
    if (episode.endedAt !== undefined) {
      record?.delete(episode.id);
      if (last !== undefined && !isHushed(channel, episode.level)) {
        delivery.push(word(episode, "ended"));
      }
      return;
    }
    const rank = rankOf(episode.level);
    const wanted = rank >= rankOf(channel.minimumLevel) && !isHushed(channel, episode.level);
    if (wanted && (last === undefined || rank > last.rank)) {
      record?.set(episode.id, { rank, at: now() });
      delivery.push(word(episode, last === undefined ? "raised" : "level-up"));
    }
  };

  const remind = (delivery: Delivery, episode: Episode): void => {
    const last = told.get(delivery)?.get(episode.id);
    const level = episode.currentLevel ?? episode.level;
    const stillBad = level !== "ok" && rankOf(level) >= rankOf(delivery.channel.minimumLevel);
    const due = last !== undefined && now() - last.at >= parts.reminderMinutes * 60_000;
    if (parts.reminderMinutes > 0 && due && stillBad && !isHushed(delivery.channel, level)) {
      last.at = now();
      delivery.push(word(episode, "reminder"));
    }
  };

  const tick = (): void => {
    for (const episode of open.values()) {
      for (const delivery of deliveries) {
        // What was raised in quiet hours and is still there is told when they end.
        if (episode.currentLevel !== "ok") {
          tell(delivery, episode);
        }
        remind(delivery, episode);
      }
    }
  };

  return {
    episodeChanged(episode) {
      // A drill is shown, not sent: nobody should be called because of a recording.
      if (episode.drill === true) {
        return;
      }
      if (episode.endedAt === undefined) {
        open.set(episode.id, structuredClone(episode));
        if (open.size > MOST_EPISODES) {
          forget(open.keys().next().value ?? "");
        }
      } else {
        open.delete(episode.id);
      }
      for (const delivery of deliveries) {
        tell(delivery, episode);
      }
    },
    async test(name) {
      const chosen = deliveries.filter(({ channel }) => name === undefined || channel.name === name);
      if (name !== undefined && chosen.length === 0) {
        return undefined;
      }
      const message = wordTest({ ...parts.surroundings, at: now() });
      return Promise.all(chosen.map((delivery) => testOne(delivery, message)));
    },
    names: () => deliveries.map(({ channel }) => channel.name),
    health: () => deliveries.map((delivery) => delivery.health()),
    start() {
      for (const { channel } of deliveries) {
        if (channel.unusable !== undefined) {
          log.warn(`alerts cannot be sent to ${channel.name}`, { reason: channel.unusable });
        }
        try {
          channel.start?.();
        } catch (error) {
          log.warn(
            `the helper of ${channel.name} cannot be started; it is tried again with the first alert`,
            {
              reason: (error as NodeJS.ErrnoException).code,
            },
          );
        }
      }
      timer ??= setInterval(tick, TICK_MS).unref();
    },
    close() {
      clearInterval(timer);
      for (const delivery of deliveries) {
        delivery.close();
      }
    },
  };

  /** Whoever asks while a test runs gets its result: tests cannot pile up. */
  function testOne(delivery: Delivery, message: AlertMessage): Promise<ChannelTest> {
    const { name } = delivery.channel;
    const running = testing.get(name) ?? timed(delivery, message).finally(() => testing.delete(name));
    testing.set(name, running);
    return running;
  }

  function forget(id: string): void {
    open.delete(id);
    for (const record of told.values()) {
      record.delete(id);
    }
  }
}

async function timed(delivery: Delivery, message: AlertMessage): Promise<ChannelTest> {
  const startedMs = performance.now();
  const result = await delivery.tryOnce(message);
  const { name, type } = delivery.channel;
  return { channel: name, type, ...result, ms: Math.round(performance.now() - startedMs) };
}

function createChannel(settings: ChannelSettings, { log, programs }: ChannelsParts): Channel {
  switch (settings.type) {
    case "log":
      return createLogChannel(settings, log);
    case "webhook":
      return createWebhook(settings);
    case "ntfy":
      return createNtfy(settings);
    case "desktop":
      return createDesktop(settings, programs ?? NO_PROGRAMS);
    case "command":
      return createCommand(settings, programs ?? NO_PROGRAMS);
  }
}

const NO_PROGRAMS: Programs = {
  platform: "any",
  environment: {},
  spawn: () => {
    throw new Error("no program may be started here");
  },
  killGroup: () => {},
};
