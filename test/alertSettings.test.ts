import { describe, expect, it } from "vitest";
import { parseQuietHours } from "../src/alertSettings.ts";
import { loadConfig } from "../src/config.ts";

const file = (value: unknown) => ({ path: "c.json", text: JSON.stringify(value) });
const load = (value: unknown, environment: Record<string, string> = {}) =>
  loadConfig({ flags: {}, environment, file: file(value) }).config;
const channels = (...list: unknown[]) => ({ alerts: { channels: list } });

it("tells the log and holds nothing back unless told", () => {
  expect(load({})).toMatchObject({
    alerts: {
      channels: [{ type: "log", minimumLevel: "warn" }],
      quietHours: null,
      quietHoursLevel: "critical",
      reminderMinutes: 0,
    },
    guard: { mode: "off", marginBytes: 0 },
  });
});

it("takes every kind of channel", () => {
  const list = [
    { type: "log", minimumLevel: "watch" },
    { type: "desktop" },
    { type: "webhook", name: "team", url: "https://hooks.example.com/x", format: "slack" },
    { type: "webhook", url: "http://10.0.0.2:8080/", token: "t" },
    { type: "ntfy", url: "https://ntfy.sh/topic", minimumLevel: "critical" },
    { type: "command", command: ["/bin/alert", "--loud"] },
  ];
  expect(load(channels(...list)).alerts.channels.map(({ type }) => type)).toEqual(
    list.map(({ type }) => type),
  );
});

it("takes channels, hours and mode from the environment, by name or as JSON", () => {
  const byName = load(
    {},
    {
      PLIMSOLL_ALERTS_CHANNELS: "log, desktop",
      PLIMSOLL_ALERTS_QUIET_HOURS: "22:00-07:00",
      PLIMSOLL_GUARD_MODE: "cap",
      PLIMSOLL_GUARD_MARGIN_BYTES: "1000",
    },
  );
  expect(byName.alerts.channels.map(({ type }) => type)).toEqual(["log", "desktop"]);
  expect(byName.guard).toEqual({ mode: "cap", marginBytes: 1000 });
  const json = load({}, { PLIMSOLL_ALERTS_CHANNELS: '[{"type":"ntfy","url":"https://ntfy.sh/t"}]' });
  expect(json.alerts.channels[0]).toMatchObject({ type: "ntfy", url: "https://ntfy.sh/t" });
});

describe("what stops the start, and never shows a secret", () => {
  it.each<[string, unknown, RegExp]>([
    [
      "a URL of another kind",
      channels({ type: "webhook", url: "ftp://SECRET/" }),
      /channels\.0\.url.*http:\/\/ or https:/,
    ],
    [
      "a URL that is none",
      channels({ type: "webhook", url: "SECRET" }),
      /channels\.0\.url.*expected an http/,
    ],
    ["no URL", channels({ type: "webhook" }), /channels\.0\.url.*is missing/],
    ["ntfy without a topic", channels({ type: "ntfy", url: "https://SECRET/" }), /address of a topic/],
    ["an unknown type", channels({ type: "mail" }), /"mail" is not valid.*'webhook'/],
    [
      "a misspelt field",
      channels({ type: "webhook", url: "http://SECRET", formt: "json" }),
      /did you mean "alerts\.channels\.0\.format"/,
    ],
    [
      "an unknown format",
      channels({ type: "webhook", url: "http://SECRET", format: "teams" }),
      /"teams".*discord/,
    ],
    ["an unknown level", channels({ type: "log", minimumLevel: "loud" }), /"loud".*critical/],
    ["a name with spaces", channels({ type: "log", name: "my log" }), /"my log".*letters, digits/],
    ["two of one name", channels({ type: "log" }, { type: "log" }), /same name/],
    [
      "a command as text",
      channels({ type: "command", command: "rm -rf SECRET" }),
      /channels\.0\.command.*array/,
    ],
    ["an empty command", channels({ type: "command", command: [] }), /the program first/],
    ["a command over two lines", channels({ type: "command", command: ["a\nSECRET"] }), /the program first/],
    ["an empty token", channels({ type: "webhook", url: "http://SECRET", token: "" }), /channels\.0\.token/],
    ["channels that are no list", { alerts: { channels: { type: "log" } } }, /alerts\.channels.*array/],
    ["hours without minutes", { alerts: { quietHours: "22-7" } }, /"22-7".*22:00-07:00/],
    ["a negative reminder", { alerts: { reminderMinutes: -1 } }, /alerts\.reminderMinutes in c\.json: -1/],
    ["an unknown mode", { guard: { mode: "strict" } }, /guard\.mode in c\.json: "strict".*refuse/],
    ["a negative margin", { guard: { marginBytes: -1 } }, /guard\.marginBytes/],
    ["a misspelt guard", { guard: { mod: "cap" } }, /did you mean "guard\.mode"/],
  ])("%s", (_name, value, message) => {
    expect(() => load(value)).toThrow(message);
    try {
      load(value);
    } catch (error) {
      expect(String(error)).not.toContain("SECRET");
    }
  });

  it("is named by where it came from", () => {
    expect(() => load({}, { PLIMSOLL_ALERTS_CHANNELS: "mail" })).toThrow(/PLIMSOLL_ALERTS_CHANNELS.*"mail"/);
    expect(() => load({}, { PLIMSOLL_ALERTS_CHANNELS: "[{" })).toThrow(/PLIMSOLL_ALERTS_CHANNELS/);
  });
});

it.each<[string, ReturnType<typeof parseQuietHours>]>([
  ["22:00-07:00", { fromMinute: 1320, toMinute: 420 }],
  [" 9:30 – 24:00 ", { fromMinute: 570, toMinute: 1440 }],
  ["00:00-24:00", { fromMinute: 0, toMinute: 1440 }],
  ["12:00-12:00", undefined],
  ["24:00-01:00", undefined],
  ["23:60-01:00", undefined],
  ["10:00-24:01", undefined],
  ["", undefined],
])("quiet hours %j", (text, hours) => {
  expect(parseQuietHours(text)).toEqual(hours);
});
