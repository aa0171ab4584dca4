import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createChannels, type Channels, type ChannelsParts } from "../../../src/alerts/channels/channels.ts";
import { isQuiet } from "../../../src/alerts/channels/quietHours.ts";
import { cleanUp } from "../../support/startPlimsoll.ts";
import { waitFor } from "../../support/waitFor.ts";
import { anEpisode, keepingLog, NOW, startSink, SURROUNDINGS } from "./support.ts";

const MINUTE = 60_000;
let now = NOW;
let log = keepingLog();
let channels: Channels | undefined;

beforeEach(() => {
  now = NOW;
  log = keepingLog();
});

afterEach(async () => {
  vi.useRealTimers();
  channels?.close();
  await cleanUp();
});

function start(overrides: Partial<ChannelsParts> = {}): Channels {
  channels = createChannels({
    settings: [{ type: "log", minimumLevel: "warn" }],
    quietHoursLevel: "critical",
    reminderMinutes: 0,
    surroundings: SURROUNDINGS,
    now: () => now,
    log,
    pausesMs: [5, 5],
    ...overrides,
  });
  return channels;
}

const titles = async (): Promise<string[]> => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return log.lines.map((line) => line.replace(/^Plimsoll: (.*?)\..*$/, "$1"));
};

describe("who is told what", () => {
  it("once when raised, once when worse, once at the end, and of nothing in between", async () => {
    const { episodeChanged } = start();
    episodeChanged(anEpisode({ level: "watch" }));
    episodeChanged(anEpisode({ level: "warn" }));
    episodeChanged(anEpisode({ level: "warn", text: "Swapping expected in about 40 s." }));
    episodeChanged(anEpisode({ level: "critical" }));
    episodeChanged(anEpisode({ level: "critical", currentLevel: "watch" }));
    episodeChanged(anEpisode({ level: "critical", currentLevel: "critical" }));
    episodeChanged(anEpisode({ level: "critical", endedAt: NOW }));
    expect(await titles()).toEqual([
      "memory will run short",
      "memory is critically short",
      "memory is fine again",
    ]);
  });

  it("not of an episode that stayed below the channel's level, nor of its end", async () => {
    const { episodeChanged } = start({ settings: [{ type: "log", minimumLevel: "critical" }] });
    episodeChanged(anEpisode({ level: "warn" }));
    episodeChanged(anEpisode({ level: "warn", endedAt: NOW }));
    expect(await titles()).toEqual([]);
  });

  it("not of a drill", async () => {
    start().episodeChanged(anEpisode({ level: "critical", drill: true }));
    expect(await titles()).toEqual([]);
  });

  it("of two episodes apart", async () => {
    const { episodeChanged } = start();
    episodeChanged(anEpisode());
    episodeChanged(anEpisode({ id: "episode-2", kind: "gpu" }));
    expect(await titles()).toEqual(["memory will run short", "graphics memory will run short"]);
  });
});

describe("quiet hours", () => {
  it.each([
    ["22:00-07:00 at 23:00", { fromMinute: 1320, toMinute: 420 }, 1380, true],
    ["22:00-07:00 at 06:59", { fromMinute: 1320, toMinute: 420 }, 419, true],
    ["22:00-07:00 at 07:00", { fromMinute: 1320, toMinute: 420 }, 420, false],
    ["22:00-07:00 at 12:00", { fromMinute: 1320, toMinute: 420 }, 720, false],
    ["12:00-13:00 at 12:00", { fromMinute: 720, toMinute: 780 }, 720, true],
    ["12:00-13:00 at 13:00", { fromMinute: 720, toMinute: 780 }, 780, false],
    ["00:00-24:00 at 00:00", { fromMinute: 0, toMinute: 1440 }, 0, true],
    ["none", undefined, 0, false],
  ])("%s", (_name, hours, minute, quiet) => {
    expect(isQuiet(hours, minute)).toBe(quiet);
  });

  it("hold a warning back, let a critical one through, and leave the log alone", async () => {
    const sink = await startSink();
    const { episodeChanged } = start({
      settings: [
        { type: "log", minimumLevel: "warn" },
        { type: "webhook", url: sink.url, format: "json", minimumLevel: "warn" },
      ],
      quietHours: { fromMinute: 0, toMinute: 1440 },
    });
    episodeChanged(anEpisode({ level: "warn" }));
    expect(await titles()).toEqual(["memory will run short"]);
    episodeChanged(anEpisode({ level: "critical" }));
    await waitFor(() => sink.received.length === 1);
    expect(JSON.parse(sink.received[0]?.body ?? "")).toMatchObject({ state: "raised", level: "critical" });
  });

  it("tell at their end what is still open", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const sink = await startSink();
    let minute = 100;
    const { episodeChanged, start: begin } = start({
      settings: [{ type: "webhook", url: sink.url, format: "json", minimumLevel: "warn" }],
      quietHours: { fromMinute: 0, toMinute: 420 },
      minuteOfDay: () => minute,
    });
    begin();
    episodeChanged(anEpisode());
    await vi.advanceTimersByTimeAsync(MINUTE);
    minute = 421;
    await vi.advanceTimersByTimeAsync(MINUTE);
    vi.useRealTimers();
    await waitFor(() => sink.received.length === 1);
  });
});

it("reminds of an alert that stays open, and not of one that has calmed down", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const { episodeChanged, start: begin } = start({ reminderMinutes: 10 });
  begin();
  episodeChanged(anEpisode());
  for (let minutes = 1; minutes <= 21; minutes += 1) {
    now += MINUTE;
    await vi.advanceTimersByTimeAsync(MINUTE);
  }
  episodeChanged(anEpisode({ currentLevel: "watch" }));
  for (let minutes = 1; minutes <= 21; minutes += 1) {
    now += MINUTE;
    await vi.advanceTimersByTimeAsync(MINUTE);
  }
  vi.useRealTimers();
  expect(await titles()).toEqual(Array(3).fill("memory will run short"));
});

describe("a channel that fails", () => {
  const webhook = (url: string) => ({ type: "webhook", url, format: "json", minimumLevel: "warn" }) as const;

  it("is tried again a bounded number of times, then said to fail, once, without its address", async () => {
    const sink = await startSink((response) => response.writeHead(500).end());
    const { episodeChanged, health } = start({ settings: [webhook(`${sink.url}/SECRET`)] });
    episodeChanged(anEpisode());
    await waitFor(() => health()[0]?.state === "failing");
    expect(sink.received).toHaveLength(3);
    expect(health()[0]).toMatchObject({ channel: "webhook", failedCount: 1, problem: "answered 500" });
    expect(log.lines.join()).toContain("answered 500");
    expect(log.lines.join() + JSON.stringify(health())).not.toContain("SECRET");
  });

  it("keeps the key of a message over its attempts, and is well again after one that works", async () => {
    const sink = await startSink((response, nth) => response.writeHead(nth === 1 ? 503 : 200).end());
    const { episodeChanged, health } = start({ settings: [webhook(sink.url)] });
    episodeChanged(anEpisode());
    await waitFor(() => health()[0]?.state === "ok");
    const keys = sink.received.map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  it("keeps no more than a few messages waiting and delays no other channel", async () => {
    const stuck = await startSink(() => {});
    const well = await startSink();
    const { episodeChanged, health } = start({
      settings: [
        { ...webhook(stuck.url), name: "stuck" },
        { ...webhook(well.url), name: "well" },
      ],
    });
    for (let index = 0; index < 40; index += 1) {
      episodeChanged(anEpisode({ id: `episode-${index}` }));
    }
    await waitFor(() => well.received.length >= 17);
    expect(stuck.received.length).toBeLessThanOrEqual(1);
    expect(health()[0]?.failedCount).toBeGreaterThanOrEqual(23);
  });
});

describe("a test message", () => {
  it("goes to one or all, at any hour and level, and says for each how it went", async () => {
    const sink = await startSink();
    const { test } = start({
      settings: [
        { type: "log", minimumLevel: "swapping" },
        { type: "webhook", name: "team", url: sink.url, format: "slack", minimumLevel: "critical" },
        { type: "ntfy", url: "http://127.0.0.1:1/SECRET", token: "SECRET", minimumLevel: "warn" },
      ],
      quietHours: { fromMinute: 0, toMinute: 1440 },
      quietHoursLevel: "none",
    });
    const results = await test();
    expect(results?.map(({ channel, delivered }) => [channel, delivered])).toEqual([
      ["log", true],
      ["team", true],
      ["ntfy", false],
    ]);
    expect(results?.[2]?.problem).toBe("cannot be reached (ECONNREFUSED)");
    expect(JSON.stringify(results) + log.lines.join()).not.toContain("SECRET");
    expect(await test("team")).toHaveLength(1);
    expect(await test("nobody")).toBeUndefined();
  });

  it("runs once however often it is asked for at the same time", async () => {
    const sink = await startSink();
    const { test } = start({ settings: [webhookTo(sink.url)] });
    await Promise.all(Array.from({ length: 20 }, () => test()));
    expect(sink.received).toHaveLength(1);
  });
});

function webhookTo(url: string) {
  return { type: "webhook", url, format: "json", minimumLevel: "warn" } as const;
}
