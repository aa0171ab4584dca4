import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guessExchange } from "../../src/predict/guessExchange.ts";
import { learnExchange, type Circumstances } from "../../src/predict/guessLearn.ts";
import { createLearned, type Learned } from "../../src/predict/guessLearned.ts";
import type { GuessInput } from "../../src/predict/guessTypes.ts";
import type { Exchange } from "../../src/types.ts";
import { exchangeOf, readChat, replay, type RecordedExchange } from "./guessReplay.ts";

const MODEL = "m";
const ALONE: Circumstances = { alone: true };

function recorded(more: Partial<RecordedExchange> = {}): RecordedExchange {
  return {
    messageCount: 1,
    textBytes: 4000,
    startedMs: 1000,
    firstTokenMs: 2050,
    endedMs: 8000,
    inputTokens: 900,
    prefillMs: 2000,
    outputTokens: 101,
    decodeMs: 5000,
    loadMs: 2,
    ...more,
  };
}

function teach(
  learned: Learned,
  entry: RecordedExchange,
  {
    input = {},
    change = {},
    circumstances = ALONE,
  }: { input?: Partial<GuessInput>; change?: Partial<Exchange>; circumstances?: Circumstances } = {},
) {
  const asked: GuessInput = {
    model: MODEL,
    request: { textBytes: entry.textBytes, messageCount: entry.messageCount, imageCount: 0, stream: true },
    contextLength: 8192,
    loaded: true,
    ...input,
  };
  const guess = guessExchange(asked, learned, entry.startedMs);
  const exchange = { ...exchangeOf(entry, { model: MODEL, contextLength: 8192 }), ...change };
  return learnExchange(learned, { guess, exchange, circumstances });
}

const rateOf = (learned: Learned): number | undefined => learned.speed.of(MODEL).decode.msAt(950);

describe("what an exchange teaches", () => {
  it("steps are one less than tokens", () => {
    const learned = createLearned();
    teach(learned, recorded());
    expect(rateOf(learned)).toBeCloseTo(50, 2);
  });

  it("speed without durations: from the first to the last of a stream", () => {
    const learned = createLearned();
    const usage = { inputTokens: 900, outputTokens: 101, provenance: "measured" as const };
    teach(learned, recorded({ endedMs: 3050 + 4000 }), { change: { usage, dialect: "openai" } });
    expect(rateOf(learned)).toBeCloseTo(40, 2);
    expect(learned.speed.of(MODEL).prefillMs({ uncachedTokens: 900, cachedTokens: 0 })).toBeCloseTo(2050, -2);
  });

  it("the length of answers, up to what is asked for", () => {
    const learned = createLearned();
    [90, 100, 110].forEach((outputTokens) => teach(learned, recorded({ outputTokens })));
    const request = { textBytes: 4000, messageCount: 9, imageCount: 0 };
    expect(guessExchange({ model: MODEL, request }, learned, 0).basis.outputTokens).toBe(100);
    const limited = { ...request, maxOutputTokens: 20 };
    expect(guessExchange({ model: MODEL, request: limited }, learned, 0).basis.outputTokens).toBe(20);
  });

  it("how long a load takes, apart from handing over a warm runner", () => {
    const learned = createLearned();
    teach(learned, recorded({ loadMs: 90 }));
    teach(learned, recorded({ loadMs: 2400 }), { input: { loaded: false } });
    teach(learned, recorded({ loadMs: 3000 }), { input: { loaded: undefined } });
    const { coldLoadMs, warmLoadMs } = learned.model(MODEL).recent;
    expect(coldLoadMs.median()).toBe(2700);
    expect(warmLoadMs.median()).toBe(90);
  });

  it("the time of a load also when the model was loaded, for somebody who asked for other options", () => {
    const learned = createLearned();
    teach(learned, recorded({ loadMs: 120 }));
    teach(learned, recorded({ loadMs: 2300 }));
    const { coldLoadMs, warmLoadMs } = learned.model(MODEL).recent;
    expect(warmLoadMs.median()).toBe(120);
    expect(coldLoadMs.median()).toBe(2300);
    // Where no duration is told, whoever watched the runners knows.
    const untold = recorded({ loadMs: undefined, prefillMs: undefined });
    const before = learned.speed.of(MODEL).prefill.msOf({ uncachedTokens: 900, cachedTokens: 0 });
    teach(learned, untold, { change: { notices: [{ kind: "reloaded" }] } });
    expect(learned.speed.of(MODEL).prefill.msOf({ uncachedTokens: 900, cachedTokens: 0 })).toBe(before);
  });

  it("formula against measurement, from the third answer on", () => {
    const learned = createLearned();
    learned.speed.describe(MODEL, undefined, {
      reads: [{ bytesPerToken: 1e9, bandwidthBytesPerSecond: 3e10, device: "cpu" }],
    });
    expect(teach(learned, recorded()).decodeMs).toBeUndefined();
    teach(learned, recorded());
    expect(teach(learned, recorded()).decodeMs?.raw).toBeCloseTo(44.4, 1);
  });

  it("a lasting change of speed, with the model it befell", () => {
    const learned = createLearned();
    const lessons = Array.from({ length: 30 }, (_, turn) =>
      teach(learned, recorded({ inputTokens: 900 + (turn % 6) * 800, decodeMs: turn < 15 ? 5000 : 9000 })),
    );
    const changes = lessons.flatMap(({ change }) => change ?? []);
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({ model: MODEL, direction: "slower", part: "base" });
  });
});

describe("what teaches no speed", () => {
  it.each<[string, Parameters<typeof teach>[2]]>([
    ["company on the machine", { circumstances: { alone: false } }],
    ["a draft model", { circumstances: { alone: true, draft: true } }],
    ["a client that left", { change: { state: { phase: "cancelled", endedAt: 8000 } } }],
    [
      "a failure",
      { change: { state: { phase: "failed", endedAt: 8000, error: { code: "upstream-cut", message: "" } } } },
    ],
    [
      "tokens that were only counted as chunks",
      { change: { usage: { outputTokens: 101, provenance: "derived" } } },
    ],
    ["no usage", { change: { usage: undefined } }],
  ])("%s", (_, how) => {
    const learned = createLearned();
    teach(learned, recorded(), how);
    expect(rateOf(learned)).toBeUndefined();
  });

  it("an answer of a few tokens", () => {
    const learned = createLearned();
    teach(learned, recorded({ outputTokens: 5 }));
    expect(rateOf(learned)).toBeUndefined();
  });
});

it.each(["truncated", "messages-dropped", "prompt-too-long"] as const)(
  "a prompt that was %s teaches no tokens per byte",
  (kind) => {
    const learned = createLearned();
    teach(learned, recorded({ inputTokens: 100 }), { change: { notices: [{ kind }] } });
    expect(learned.model(MODEL).tokens.count()).toBe(0);
  },
);

describe("kept", () => {
  it("as JSON, says the same after a restart", () => {
    const learned = createLearned();
    replay(readChat("chat-gemma3-270m-v0.33"), { learned });
    const saved: unknown = JSON.parse(JSON.stringify(learned.save()));
    const restored = createLearned({ saved });
    const request = { textBytes: 9000, messageCount: 1, imageCount: 0, stream: true };
    const input = { model: "gemma3:270m", request, contextLength: 8192, loaded: true, cachedTokens: 0 };
    expect(guessExchange(input, restored, 0).prediction).toEqual(guessExchange(input, learned, 0).prediction);
    expect(JSON.parse(JSON.stringify(restored.save()))).toEqual(saved);
  });

  it("holds counts and times only", () => {
    const learned = createLearned();
    replay(readChat("chat-gemma3-270m-v0.33"), { learned });
    const words = JSON.stringify(learned.save()).match(/"[^"]+"/g) ?? [];
    const known =
      /^"(version|models|speeds|model|decode|prefill|answers|misses|prompts|tokens|recent|bands|count|matrix|right|gemma3:270m|[a-zA-Z]+(Ms|Bytes|Tokens|Used|Second|Token))"$/;
    expect(words.filter((word) => !known.test(word))).toEqual([]);
  });

  it("of a bounded number of models", () => {
    const learned = createLearned();
    for (let index = 0; index < 100; index++) {
      learned.keepModel(`m${index}`);
      learned.speed.keep(`m${index}`);
    }
    expect(learned.save().models).toHaveLength(32);
    expect(learned.save().speeds).toHaveLength(64);
    expect(learned.save().models.at(-1)?.[0]).toBe("m99");
  });

  it("until it is reset, for one model or for all", () => {
    const learned = createLearned();
    learned.keepModel("a");
    learned.keepModel("b");
    learned.speed.keep("a");
    learned.reset("a");
    expect(learned.save()).toMatchObject({ models: [["b", {}]], speeds: [] });
    learned.reset();
    expect(learned.save().models).toEqual([]);
  });

  it("or else is fresh: damaged or foreign JSON is no error", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (saved) => {
        expect(createLearned({ saved }).save()).toEqual(createLearned().save());
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (models, speeds) => {
        const learned = createLearned({ saved: { version: 1, models, speeds } });
        const request = { textBytes: 9000, messageCount: 1, stream: true };
        expect(guessExchange({ model: "m", request }, learned, 0).prediction.inputTokens).toBeDefined();
      }),
    );
  });
});
