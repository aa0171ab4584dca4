import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { advise } from "../../src/advice/advise.ts";
import type { AdviceFacts, Change } from "../../src/advice/facts.ts";
import { createRemedies } from "../../src/predict/remedies.ts";
import type { Advice, Conversation, LoadedModel, ModelHabit, ReloadHabit } from "../../src/types.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const CURRENT = 32_768;
const KIB_PER_TOKEN = 56 * 1024;

/** A model of 56 KiB a token in f16, at a context of 32768 in one slot. */
function change(_model: string, query: Parameters<AdviceFacts["change"]>[1]): Change {
  const contextLength = Math.min(query.contextLength ?? CURRENT, 131_072);
  const share = query.kvCacheTypeK === "q8_0" ? 34 / 64 : 1;
  const costBytes = contextLength * KIB_PER_TOKEN * share - CURRENT * KIB_PER_TOKEN;
  return {
    costBytes,
    contextLength,
    verdict: costBytes > 4 * GIB ? "overflows" : "fits",
    now: { contextLength: CURRENT, parallel: 1, kvCacheType: "f16" },
  };
}

function facts(fields: Partial<AdviceFacts> = {}): AdviceFacts {
  return {
    now: 1_000_000_000,
    habits: { models: [], reloads: [] },
    loaded: [],
    conversations: [],
    headroomBytes: 12 * GIB,
    totalBytes: 32 * GIB,
    remedies: createRemedies({ ollamaVersion: "0.33.0" }),
    change,
    canonicalName: (model) => (model.includes(":") ? model : `${model}:latest`),
    ...fields,
  };
}

function habit(fields: Partial<ModelHabit> = {}): ModelHabit {
  return {
    model: "m",
    client: "continue",
    dialect: "ollama",
    asksContext: true,
    requestCount: 100,
    cutCount: 0,
    contextLength: CURRENT,
    tokens: { 900: 90, 6200: 10 },
    longestTokens: 6250,
    ...fields,
  };
}

const loaded = (fields: Partial<LoadedModel> = {}): LoadedModel => ({
  name: "m:latest",
  contextLength: CURRENT,
  ...fields,
});
const kinds = (advice: readonly Advice[]): string[] => advice.map(({ kind }) => kind);

it("says nothing when nothing is worth doing", () => {
  expect(advise(facts())).toEqual([]);
  expect(
    advise(
      facts({ loaded: [loaded()], habits: { models: [habit({ longestTokens: 30_000 })], reloads: [] } }),
    ),
  ).toEqual([]);
});

describe("a context that is larger than needed", () => {
  it("frees what it does not need, with the figures of this machine", () => {
    const [advice, ...more] = advise(facts({ habits: { models: [habit()], reloads: [] } }));
    expect(more).toEqual([]);
    expect(advice?.text).toBe(
      "Your p99 prompt to m:latest, with its answer, is 6.1k of 32k tokens, the longest 6.1k: num_ctx 8192 frees 1.3 GiB",
    );
    expect(advice?.savesBytes).toBe((CURRENT - 8192) * KIB_PER_TOKEN);
    expect(advice?.remedies[0]?.id).toBe("smaller-context:8192");
  });

  it("is left alone when one request needed it, when few were seen, or when little is freed", () => {
    const seen = (fields: Partial<ModelHabit>) =>
      kinds(advise(facts({ habits: { models: [habit(fields)], reloads: [] } })));
    expect(seen({ longestTokens: 20_000 })).toEqual([]);
    expect(seen({ tokens: { 900: 5 } })).toEqual([]);
    expect(seen({ contextLength: 8192, longestTokens: 1000, tokens: { 900: 100 }, model: "m" })).toEqual([
      "smaller-context",
    ]);
    expect(
      kinds(
        advise(
          facts({
            habits: { models: [habit()], reloads: [] },
            change: (model, query) => ({ ...change(model, query), costBytes: -10 * MIB }),
          }),
        ),
      ),
    ).toEqual([]);
  });

  it("is told to the server and the Modelfile where clients do not say which context they want", () => {
    const [advice] = advise(
      facts({ habits: { models: [habit({ asksContext: false, dialect: "openai" })], reloads: [] } }),
    );
    expect(advice?.remedies.map(({ id }) => id)).toEqual(["server-context:8192", "smaller-context:8192"]);
  });
});

describe("a context that is too small", () => {
  const cut = { cutCount: 12, contextLength: 4096, neededContextLength: 9000 };

  it("says how often, and what the larger one costs", () => {
    const [advice] = advise(facts({ habits: { models: [habit(cut)], reloads: [] } }));
    expect(advice?.text).toBe(
      "12 of 100 requests to m:latest did not fit its context of 4096. Set num_ctx to 16384 for m:latest: frees 896 MiB and fits",
    );
    expect(advice?.clients).toEqual(["continue"]);
  });

  it("is silent once the model has one that holds what was cut", () => {
    const now = { ...cut, contextLength: 16_384 };
    expect(advise(facts({ habits: { models: [habit(now)], reloads: [] } }))).toEqual([]);
  });

  it("gives /v1 clients the ways they have", () => {
    const [advice] = advise(
      facts({ habits: { models: [habit({ ...cut, dialect: "openai", asksContext: false })], reloads: [] } }),
    );
    expect(advice?.remedies.map(({ id }) => id)).toEqual([
      "model-with-context:16384",
      "server-context:16384",
    ]);
    expect(advice?.text).toContain("/v1 cannot set num_ctx");
  });

  it("names the cache type where only that makes it fit, and a fresh chat where nothing does", () => {
    const tight =
      (share: number): AdviceFacts["change"] =>
      (model, query) => ({
        ...change(model, query),
        costBytes: 2 * GIB,
        verdict: query.kvCacheTypeK === "q8_0" && share < 1 ? "fits" : "overflows",
      });
    const ids = (share: number) =>
      advise(facts({ habits: { models: [habit(cut)], reloads: [] }, change: tight(share) }))[0]?.remedies.map(
        ({ id }) => id,
      );
    expect(ids(0.5)).toEqual(["larger-context:16384", "cache-type:q8_0", "fresh-chat"]);
    expect(ids(1)).toEqual(["larger-context:16384", "fresh-chat"]);
  });

  it("is not offered when the model was trained for no more", () => {
    const clipped: AdviceFacts["change"] = (model, query) => ({
      ...change(model, query),
      contextLength: 4096,
    });
    expect(advise(facts({ habits: { models: [habit(cut)], reloads: [] }, change: clipped }))).toEqual([]);
  });
});

describe("clients that fight over an option", () => {
  const side = (client: string, previousClient: string, from: string, to: string): ReloadHabit => ({
    model: "m:latest",
    cause: "options",
    client,
    previousClient,
    differences: [{ option: "num_ctx", from, to }],
    count: 7,
    lastAt: 0,
    loadMs: 180_000,
    dialect: "ollama",
    asksContext: true,
  });
  const reloads = [
    side("continue", "home-assistant", "8192", "32768"),
    side("home-assistant", "continue", "32768", "8192"),
  ];

  it("are one piece of advice, with all that they lost", () => {
    const [advice, ...more] = advise(facts({ habits: { models: [], reloads } }));
    expect(more).toEqual([]);
    expect(advice).toMatchObject({
      kind: "fight",
      clients: ["continue", "home-assistant"],
      savesMs: 360_000,
      text: "continue (num_ctx 32768) and home-assistant (num_ctx 8192) fight over m:latest: it was loaded again 14 times, 6 min of waiting",
    });
    expect(advice?.remedies[0]?.text).toMatch(/^Set num_ctx to 32768 in both continue and home-assistant/);
  });

  it("are both told the smaller one where nobody has needed more, and no other context beside it", () => {
    const advice = advise(facts({ habits: { models: [habit()], reloads } }));
    expect(kinds(advice)).toEqual(["fight"]);
    expect(advice[0]?.remedies[0]?.id).toBe("agree-on-context:8192");
  });

  it("are told of the server's own context where one of them asks for none", () => {
    const silent = [reloads[0] as ReloadHabit, { ...(reloads[1] as ReloadHabit), asksContext: false }];
    const [advice] = advise(facts({ habits: { models: [], reloads: silent } }));
    expect(advice?.remedies.map(({ id }) => id)).toEqual(["agree-on-context:32768", "server-context:32768"]);
  });

  it("can be one client that keeps changing its mind", () => {
    const aider = side("aider", "aider", "9000", "9500");
    const [advice] = advise(facts({ habits: { models: [], reloads: [aider] } }));
    expect(advice?.clients).toEqual(["aider"]);
    expect(advice?.remedies[0]?.text).toContain("every request of aider");
  });

  it("are not a fight after one change", () => {
    expect(
      advise(facts({ habits: { models: [], reloads: [{ ...(reloads[0] as ReloadHabit), count: 1 }] } })),
    ).toEqual([]);
  });
});

describe("memory", () => {
  const scarce = { headroomBytes: 2 * GIB, totalBytes: 32 * GIB };

  it("a quantised cache saves a little only where little is left", () => {
    const small = { ...scarce, loaded: [loaded()] };
    expect(kinds(advise(facts(small)))).toEqual(["cache-type"]);
    expect(advise(facts(small))[0]).toMatchObject({ savesBytes: CURRENT * KIB_PER_TOKEN * (30 / 64) });
    expect(advise(facts({ loaded: [loaded()] }))).toEqual([]);
  });

  it("does not count twice what a smaller context frees", () => {
    const advice = advise(
      facts({ ...scarce, loaded: [loaded()], habits: { models: [habit()], reloads: [] } }),
    );
    expect(kinds(advice)).toEqual(["smaller-context", "cache-type"]);
    expect(advice[1]?.savesBytes).toBe(8192 * KIB_PER_TOKEN * (30 / 64));
  });

  it("prompts that a runner may keep are bounded where they would reach swap, on versions that keep any", () => {
    const predicted = { promptCacheLimitBytes: 8 * GIB } as LoadedModel["predicted"];
    const kept = { headroomBytes: 5 * GIB, totalBytes: 32 * GIB, loaded: [loaded({ predicted })] };
    const [advice] = advise(facts(kept));
    expect(advice).toMatchObject({ kind: "prompt-cache", savesBytes: 5.5 * GIB });
    expect(advice?.text).toContain("LLAMA_ARG_CACHE_RAM=2560");
    expect(advise(facts({ ...kept, headroomBytes: 9 * GIB }))).toEqual([]);
    expect(advise(facts({ ...kept, remedies: createRemedies({ ollamaVersion: "0.24.0" }) }))).toEqual([]);
  });
});

describe("chats", () => {
  const chat: Conversation = {
    id: "c",
    model: "m:latest",
    client: "open-webui",
    startedAt: 0,
    lastAt: 1_000_000_000 - 60_000,
    turnCount: 18,
    notices: [],
    cliff: {
      state: "reached",
      atTurn: { predicted: 17 },
      firstTokenMs: { predicted: 14_900 },
      bytesPerTurn: { predicted: 45 * MIB },
      remedies: [createRemedies().largerContext({ model: "m", contextLength: 16_384 })],
    },
  };

  it("that no longer fit are named, with what each turn costs", () => {
    const [advice] = advise(facts({ conversations: [chat] }));
    expect(advice).toMatchObject({
      kind: "fresh-chat",
      conversationId: "c",
      text: "A chat of open-webui with m:latest no longer fits its context since turn 17: each turn then waits about 15 s and adds 45 MiB to memory. Start a fresh chat",
    });
    expect(advice?.remedies.map(({ id }) => id)).toEqual(["fresh-chat", "larger-context:16384"]);
  });

  it("leave the context to what is advised for the model as a whole", () => {
    const cut = habit({ cutCount: 3, contextLength: 4096, neededContextLength: 30_000 });
    const advice = advise(facts({ conversations: [chat], habits: { models: [cut], reloads: [] } }));
    expect(kinds(advice).toSorted()).toEqual(["fresh-chat", "larger-context"]);
    expect(advice.find(({ kind }) => kind === "fresh-chat")?.remedies.map(({ id }) => id)).toEqual([
      "fresh-chat",
    ]);
  });

  it("that are near are named, those far from it or long at rest are not", () => {
    const ahead = (atTurn: number) => ({
      ...chat,
      cliff: {
        ...(chat.cliff as NonNullable<Conversation["cliff"]>),
        state: "ahead" as const,
        atTurn: { predicted: atTurn },
      },
    });
    expect(kinds(advise(facts({ conversations: [ahead(20)] })))).toEqual(["fresh-chat"]);
    expect(advise(facts({ conversations: [ahead(30)] }))).toEqual([]);
    expect(advise(facts({ conversations: [{ ...chat, lastAt: 0 }] }))).toEqual([]);
  });
});

it("never contradicts itself, and gives the same order for the same facts in any order", () => {
  const names = fc.constantFrom("m", "m:latest", "other:1b");
  const contexts = fc.constantFrom(4096, 8192, CURRENT);
  const habits = fc.record({
    model: names,
    client: fc.constantFrom("continue", "zed"),
    dialect: fc.constantFrom("ollama" as const, "openai" as const),
    asksContext: fc.boolean(),
    requestCount: fc.nat(500),
    cutCount: fc.nat(3),
    contextLength: contexts,
    tokens: fc.dictionary(fc.integer({ min: 1, max: 32_000 }).map(String), fc.nat(50), { maxKeys: 5 }),
    longestTokens: fc.integer({ min: 1, max: 32_000 }),
  });
  const reloads = fc.record({
    model: names,
    cause: fc.constantFrom("options" as const, "expired" as const, "crashed" as const, "evicted" as const),
    client: fc.constantFrom("continue", "zed"),
    previousClient: fc.constantFrom("continue", "zed"),
    differences: fc.constantFrom<NonNullable<ReloadHabit["differences"]>[]>(
      [{ option: "num_ctx", from: "4096", to: "8192" }],
      [{ option: "num_ctx", from: "8192", to: "16384" }],
      [{ option: "num_gpu", to: "7" }],
    ),
    count: fc.nat(20),
    lastAt: fc.constant(0),
    loadMs: fc.nat(100_000),
  });
  fc.assert(
    fc.property(fc.array(habits, { maxLength: 6 }), fc.array(reloads, { maxLength: 6 }), (models, loads) => {
      const base = { loaded: [loaded()], headroomBytes: 2 * GIB };
      const advice = advise(facts({ ...base, habits: { models, reloads: loads } }));
      const turned = facts({ ...base, habits: { models: models.toReversed(), reloads: loads.toReversed() } });
      expect(advise(turned).map(({ id }) => id)).toEqual(advice.map(({ id }) => id));
      expect(new Set(advice.map(({ id }) => id)).size).toBe(advice.length);
      for (const model of new Set(advice.map((each) => each.model))) {
        const about = advice.filter((each) => each.model === model && model !== undefined);
        const told = about.filter(
          ({ kind, text }) => kind.endsWith("context") || (kind === "fight" && text.includes("num_ctx")),
        );
        const wanted = told.flatMap(({ remedies }) =>
          remedies.flatMap(({ id }) => /context:(\d+)$/.exec(id)?.[1] ?? []),
        );
        expect(new Set(wanted).size).toBeLessThanOrEqual(1);
      }
      for (const { text, remedies } of advice) {
        expect(text).not.toMatch(/undefined|NaN/);
        expect(JSON.stringify(remedies)).not.toMatch(/undefined|NaN/);
      }
    }),
    { numRuns: 300 },
  );
});
