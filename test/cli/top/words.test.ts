import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryParts } from "../../../src/cli/top/memoryBar.ts";
import * as top from "../../../src/cli/top/words.ts";
import { bandBytes } from "../../../web/bands.ts";
import { turnsLeft, turnsLeftWords } from "../../../web/chats.ts";
import * as format from "../../../web/format.ts";
import { occupancyOf } from "../../../web/occupancy.ts";
import * as page from "../../../web/words.ts";
import { aConversation, anExchange, aSample, estimate, gibibyte } from "./support.ts";

/** The two are built apart, so that the page needs nothing of the program; here they are held together. */
describe("the terminal and the page say the same", () => {
  const figure = fc.double({ min: 0, max: 2e12, noNaN: true });

  it("figures", () => {
    fc.assert(
      fc.property(figure, fc.double({ min: -20, max: 20, noNaN: true }), (value, ratio) => {
        expect(top.bytes(value)).toBe(format.formatBytes(value));
        expect(top.count(value)).toBe(format.formatCount(value));
        expect(top.rate(value)).toBe(format.formatRate(value));
        expect(top.duration(value / 1e3)).toBe(format.formatDuration(value / 1e3));
        expect(top.elapsed(value / 1e3)).toBe(format.formatElapsed(value / 1e3));
        expect(top.time(value)).toBe(format.formatTime(value));
        expect(top.error(ratio)).toBe(format.formatError(ratio));
      }),
    );
  });

  it("about memory", () => {
    const forecast = (seconds: number | undefined, turns: number | undefined) => ({
      madeAt: 0,
      points: [],
      causes: [],
      ...(seconds === undefined ? {} : { secondsToSwap: { predicted: seconds } }),
      ...(turns === undefined ? {} : { turnsToSwap: { predicted: turns } }),
    });
    const maybe = fc.option(fc.nat(20_000), { nil: undefined });
    const headroom = fc.option(fc.integer({ min: -gibibyte, max: 9 * gibibyte }), { nil: undefined });
    fc.assert(
      fc.property(
        headroom,
        maybe,
        maybe,
        fc.constantFrom(0, gibibyte),
        (headroomBytes, seconds, turns, swap) => {
          const sample = aSample({ headroomBytes, swapTotalBytes: swap });
          expect(top.memorySentence(sample, forecast(seconds, turns))).toBe(
            page.memorySentence(sample, forecast(seconds, turns)),
          );
        },
      ),
    );
  });

  it("about what goes on", () => {
    const verdict = { state: "idle", level: "ok", text: "" } as const;
    const stages = ["queued", "loading", "prefill", "decoding"] as const;
    for (const stage of stages) {
      const exchange = anExchange({ state: { phase: "waiting", stage } });
      const row = { exchange, seenAt: 0, phases: [] };
      expect(top.stateWord(verdict, [exchange])).toBe(page.stateWord(verdict, [row]));
    }
    expect(top.stateWord(undefined, [])).toBe(page.stateWord(undefined, []));
    expect(top.stateWord(verdict, [])).toBe(page.stateWord(verdict, []));
  });

  it("about what befell an answer", () => {
    expect(new Set(Object.keys(top.SERIOUS))).toEqual(page.seriousNotices);
    for (const kind of page.seriousNotices) expect(top.SERIOUS[kind]).toBe(page.noticeWords[kind]);
  });

  it("about a chat's end", () => {
    for (const left of [
      { window: { predicted: 3 } },
      { memory: { predicted: 2, low: 1, high: 6 }, window: { predicted: 9 } },
    ]) {
      const conversation = aConversation({ turnsLeft: left });
      const pages = turnsLeft(conversation);
      expect(top.turnsLeft(conversation)).toBe(pages && turnsLeftWords(pages.turns));
    }
    expect(top.turnsLeft(aConversation())).toBeUndefined();
  });

  it("about what memory consists of", () => {
    const load = {
      id: "1",
      startedAt: 0,
      model: "llama3.1:8b",
      cause: "first" as const,
      predicted: estimate,
    };
    const context = { loads: [load], occupancy: occupancyOf([]) };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 15 }), (gib) => {
        const base = aSample({ availableBytes: 0 });
        const runners = base.runners.map((runner) => ({ ...runner, anonymousBytes: gib * gibibyte }));
        const sample = { ...base, runners };
        const parts = Object.fromEntries(
          memoryParts(sample, [{ name: "llama3.1:8b", predicted: estimate }]).map((part) => [
            part.label,
            part.bytes,
          ]),
        );
        const bands = bandBytes(sample, context);
        expect(parts["weights"] ?? 0).toBe(bands?.weights);
        expect(parts["compute"] ?? 0).toBe(bands?.compute);
        expect(parts["KV cache"] ?? 0).toBe((bands?.kvOccupied ?? 0) + (bands?.kvFree ?? 0));
        expect(parts["prompt cache"] ?? 0).toBe(bands?.promptCache);
        expect(parts["other programs"] ?? 0).toBe(bands?.other);
      }),
    );
  });
});
