import { describe, expect, it } from "vitest";
import type { Exchange, NoticeKind } from "../../src/types.ts";
import { capturedScenarios, playScenario } from "./playCaptures.ts";

/** What befell each exchange by Ollama's own log, by index: the kinds, and how many tokens were lost. */
type Befell = Partial<Record<NoticeKind, number | undefined>>[];

const CUTS: NoticeKind[] = [
  "truncated",
  "messages-dropped",
  "context-shifted",
  "context-full",
  "prompt-too-long",
  "context-reduced",
];
const nothing = {};
const refused = { "prompt-too-long": undefined };

const BEFELL: Record<string, Befell> = {
  "v0.24 15-chat-overflow": [
    ...Array.from({ length: 5 }, () => nothing),
    { "context-shifted": 254 },
    ...[89, 178, 267, 355, 444, 532].map((lost) => ({ "messages-dropped": lost, "context-shifted": 254 })),
  ],
  "v0.33 16-chat-overflow-native": [
    ...Array.from({ length: 5 }, () => nothing),
    ...[67, 160, 252].map((lost) => ({ "messages-dropped": lost })),
  ],
  "v0.24 18-generation-shift": [{ "context-shifted": 125 }, { "context-full": undefined }],
  "v0.33 18b-generation-shift-gemma": [{ "context-shifted": 125 }, { "context-shifted": 125 }],
  "v0.33 16b-chat-overflow-native-path": [nothing, refused, refused, nothing, refused, refused, refused],
  // "truncating input prompt" prompt=1014 or 1024, new=512
  "v0.24 17-single-message-too-long": [
    { truncated: 502, "context-shifted": 254 },
    { truncated: 502, "context-shifted": 254 },
    refused,
    refused,
    { truncated: 512, "context-shifted": 254 },
    { truncated: 512, "context-shifted": 254 },
    refused,
    refused,
    { truncated: 502, "context-full": undefined },
    { truncated: 2610, "context-shifted": 2046 },
  ],
  // the same with new=259, and 2051 of 6706
  "v0.33 17-single-message-too-long": [
    { truncated: 755 },
    { truncated: 755 },
    refused,
    refused,
    { truncated: 765 },
    { truncated: 765 },
    refused,
    refused,
    refused,
    { truncated: 4655 },
  ],
  "v0.24 36-num-ctx-huge": [{ "context-reduced": undefined }],
  "v0.33 36-num-ctx-huge": [{ "context-reduced": undefined }],
  "v0.33 48-real-clients": [...Array.from({ length: 11 }, () => nothing), { "context-full": undefined }],
};

/** Over /v1 no answer ever lists this text's tokens: its size follows from its bytes. */
function isEstimated({ path }: Exchange, kind: string): boolean {
  return kind === "truncated" && path.startsWith("/v1");
}

describe.each(capturedScenarios())("$version $scenario", ({ version, scenario }) => {
  const exchanges = playScenario(version, scenario);
  const expected = BEFELL[`${version} ${scenario}`] ?? [];

  it("every cut is found and none is invented", () => {
    const found = exchanges.map(({ notices }) =>
      notices.map(({ kind }) => kind).filter((kind) => CUTS.includes(kind)),
    );
    const wanted = exchanges.map((_, index) => Object.keys(expected[index] ?? nothing));
    expect(found.map((kinds) => kinds.toSorted())).toEqual(wanted.map((kinds) => kinds.toSorted()));
  });

  it("as many tokens are lost as Ollama's log says, within 2; where only bytes tell, within 2 %", () => {
    for (const [index, exchange] of exchanges.entries()) {
      for (const { kind, tokensLost } of exchange.notices) {
        const wanted = expected[index]?.[kind];
        if (wanted !== undefined && isEstimated(exchange, kind)) {
          expect(Math.abs((tokensLost ?? 0) / wanted - 1)).toBeLessThan(0.02);
        } else if (wanted !== undefined) {
          expect(Math.abs((tokensLost ?? 0) - wanted)).toBeLessThanOrEqual(2);
        }
      }
    }
  });
});

it("what would have kept all of it stands beside, with how to set it", () => {
  const [exchange] = playScenario("v0.33", "17-single-message-too-long");
  const notice = exchange?.notices.find(({ kind }) => kind === "truncated");
  expect(notice?.contextLength).toBe(2048);
  expect(notice?.remedies?.[0]?.text).toContain("num_ctx to 2048");
});

it("a client of /v1 is given the way over a Modelfile", () => {
  const exchange = playScenario("v0.33", "17-single-message-too-long").at(-1);
  const notice = exchange?.notices.find(({ kind }) => kind === "truncated");
  expect(notice?.contextLength).toBe(8192);
  expect(notice?.remedies?.[0]?.text).toContain("/v1 cannot set num_ctx");
});

it("no notice holds a word of a prompt or an answer", () => {
  const words = /plimsoll lines|hull|ship|turn \d+ \w/i;
  for (const { version, scenario } of capturedScenarios()) {
    for (const { notices } of playScenario(version, scenario)) {
      for (const { message = "" } of notices) {
        expect(message.replace(/turn \d+ on/i, "")).not.toMatch(words);
      }
    }
  }
});
