import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { environmentOf } from "../../../src/alerts/channels/command.ts";
import { unixLines, windowsLine } from "../../../src/alerts/channels/desktop.ts";
import { ntfyBody, splitTopic } from "../../../src/alerts/channels/ntfy.ts";
import { FORMATS } from "../../../src/alerts/channels/webhook.ts";
import { bodyLines, clean, wordAlert, wordTest } from "../../../src/alerts/channels/wording.ts";
import { aMessage, anEpisode, HOSTILE, NOW, SURROUNDINGS } from "./support.ts";

// oxlint-disable-next-line no-control-regex
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

function hostile() {
  return aMessage({
    text: `Loading ${HOSTILE}`,
    causes: [{ name: HOSTILE, bytes: 2 ** 30 }],
    remedies: [
      { id: "x", text: `Unload ${HOSTILE}`, commands: [{ platform: "any", text: `ollama stop ${HOSTILE}` }] },
    ],
  });
}

describe("the words", () => {
  it("say what, the largest causes, and the fix for this system", () => {
    const message = aMessage();
    expect(message.title).toBe("Plimsoll: memory will run short");
    expect(bodyLines(message)).toEqual([
      "Swapping expected in about 50 s.",
      "Largest: llama3.1:8b prompt cache 5.0 GiB",
      "Limit the prompt cache.",
      "  systemctl edit ollama",
    ]);
  });

  it("make a sentence where the episode brings none", () => {
    expect(aMessage({ text: undefined, forecast: { secondsToSwap: 41.6 } }).text).toMatch(/about 42 s/);
    expect(aMessage({ text: undefined, headroomBytes: 300 * 2 ** 20 }).text).toMatch(/300 MiB are left/);
    expect(aMessage({ text: undefined }).text).toMatch(/\w/);
  });

  it.each([
    [{ endedAt: NOW + 59_000 }, /^It lasted 60 s\. The machine did not swap\.$/],
    [
      { endedAt: NOW + 599_000, swapAt: NOW, leadSeconds: 44 },
      /^It lasted 10 min\. The machine swapped, 44 s after/,
    ],
    [{ endedAt: NOW, swapAt: NOW }, /The machine swapped\.$/],
    [{ endedAt: NOW, kind: "gpu" as const }, /^It lasted 1 s\.$/],
  ])("tell how it ended %#", (end, text) => {
    const message = wordAlert(anEpisode(end), "ended", { ...SURROUNDINGS, at: NOW });
    expect(message.title).toMatch(/fine again/);
    expect(message.text).toMatch(text);
    expect(message.fixes).toEqual([]);
  });

  it("are one visible line each, whatever a client calls its model", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.integer({ min: 1, max: 200 }),
        (text, longest) => {
          const line = clean(text, longest);
          expect(line).not.toMatch(INVISIBLE);
          expect(line.length).toBeLessThanOrEqual(longest);
          expect(line.isWellFormed()).toBe(true);
        },
      ),
    );
    for (const line of bodyLines(hostile())) {
      expect(line).not.toMatch(INVISIBLE);
    }
  });
});

describe("a hostile name stays text", () => {
  it("in our own JSON", () => {
    const body = JSON.parse(JSON.stringify(FORMATS.json(hostile()))) as Record<string, unknown>;
    expect(body).toMatchObject({ version: 1, event: "alert", state: "raised", level: "warn", host: "box" });
    expect(body["causes"]).not.toMatch(INVISIBLE);
  });

  it("in Slack: no mention, no link", () => {
    const { text, mrkdwn } = FORMATS.slack(hostile()) as { text: string; mrkdwn: boolean };
    expect(text).not.toMatch(/[<>]/);
    expect(text).toContain("&lt;!channel&gt;");
    expect(mrkdwn).toBe(false);
  });

  it("in Discord: no mention, no markup, within 2000 characters", () => {
    const message = hostile();
    message.text = "x*".repeat(3000);
    for (const each of [hostile(), message]) {
      const body = FORMATS.discord(each) as { content: string; allowed_mentions: unknown };
      expect(body.allowed_mentions).toEqual({ parse: [] });
      expect(body.content.length).toBeLessThanOrEqual(2000);
      expect(body.content.replaceAll(/\\./gs, "")).not.toMatch(/[*_~`|>[\]]/);
    }
  });

  it("in ntfy: as JSON, cut at a character", () => {
    const message = hostile();
    message.text = "🦙".repeat(3000);
    const body = ntfyBody("t", message) as { message: string; title: string };
    expect(Buffer.byteLength(body.message)).toBeLessThan(4096);
    expect(body.message).not.toContain("\ufffd");
    expect((ntfyBody("t", hostile()) as { message: string }).message).toContain("日本🦙");
  });

  it("on desktops: three lines, markup escaped, ASCII for PowerShell", () => {
    const lines = unixLines(hostile(), "linux");
    expect(lines).toHaveLength(3);
    expect(lines.join("")).not.toMatch(INVISIBLE);
    expect(lines[2]).toContain("&lt;b&gt;");
    expect(unixLines(hostile(), "macos")[2]).toContain("<b>");
    const line = windowsLine(hostile());
    expect(line).toMatch(/^[\u0020-\u007e]+$/);
    expect((JSON.parse(line) as { text: string }).text).toContain("日本🦙");
  });

  it("in a command's environment: one line each", () => {
    for (const value of Object.values(environmentOf(hostile()))) {
      expect(value).not.toMatch(INVISIBLE);
    }
  });
});

it.each([
  ["https://ntfy.sh/secret", "https://ntfy.sh/", "secret"],
  ["https://box.lan/ntfy/a%20b", "https://box.lan/ntfy/", "a b"],
  ["http://u:p@box:8080/t/", "http://u:p@box:8080/", "t"],
])("finds server and topic of %s", (address, server, topic) => {
  expect(splitTopic(address)).toEqual({ server, topic });
});

it("a test says that it is one", () => {
  expect(wordTest({ ...SURROUNDINGS, at: NOW })).toMatchObject({
    state: "test",
    title: "Plimsoll: test message",
  });
});
