import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ServerMessage } from "../../src/types.ts";
import type { PageState } from "../../web/state.ts";
import { addEnded, apply, emptyState, endedKept } from "../../web/state.ts";
import {
  aConversation,
  aLiveExchange,
  aModel,
  anEpisode,
  anExchange,
  aSample,
  aSnapshot,
} from "./support.ts";

const after = (messages: ServerMessage[], state: PageState = emptyState): PageState =>
  messages.reduce((current, message) => apply(current, message, 5000), state);
const snapshot = (overrides = {}): ServerMessage => ({ type: "snapshot", snapshot: aSnapshot(overrides) });
const exchange = (value = anExchange()): ServerMessage => ({ type: "exchange", exchange: value });
const idsOf = (state: PageState) => ({
  live: state.live.map((row) => row.exchange.id),
  ended: state.ended.map((row) => row.id),
});

describe("a snapshot", () => {
  it("sorts its exchanges into those that run and those that ended", () => {
    const state = after([
      snapshot({
        exchanges: [
          aLiveExchange({ id: "b", startedAt: 2 }),
          aLiveExchange({ id: "a", startedAt: 1 }),
          anExchange(),
        ],
      }),
    ]);
    expect(idsOf(state)).toEqual({ live: ["a", "b"], ended: ["exchange-1"] });
  });

  it("replaces what runs and what is loaded, and keeps what ended", () => {
    const before = after([
      snapshot({ exchanges: [aLiveExchange({ id: "gone" })], models: [aModel()] }),
      exchange(),
    ]);
    const state = after([snapshot()], before);
    expect(idsOf(state)).toEqual({ live: [], ended: ["exchange-1"] });
    expect(state.models).toEqual([]);
  });

  it("without a sample takes the old figures away", () => {
    const state = after([snapshot({ sample: aSample() }), snapshot()]);
    expect(state.sample).toBeUndefined();
  });

  it("tells how far the two clocks are apart", () => {
    expect(after([snapshot({ takenAt: 65_000 })]).clockOffsetMs).toBe(60_000);
  });

  it("is corrected by a sample that is ahead of it, as in a demo whose clock runs faster", () => {
    const state = after([
      snapshot({ takenAt: 65_000 }),
      { type: "sample", sample: aSample({ takenAt: 66_000 }) },
    ]);
    expect(state.clockOffsetMs).toBe(61_000);
    const late = after([{ type: "sample", sample: aSample({ takenAt: 10_000 }) }], state);
    expect(late.clockOffsetMs).toBe(61_000);
  });

  it("says whether anything is simulated, anew each time", () => {
    expect(after([snapshot({ simulated: true })]).simulated).toBe(true);
    expect(after([snapshot({ simulated: true }), snapshot()]).simulated).toBe(false);
  });
});

describe("an exchange", () => {
  it("is updated in place while it runs", () => {
    const state = after([
      exchange(aLiveExchange({ id: "a", startedAt: 1 })),
      exchange(aLiveExchange({ id: "b", startedAt: 2 })),
      exchange(aLiveExchange({ id: "a", startedAt: 1, chunkCount: 9 })),
    ]);
    expect(idsOf(state).live).toEqual(["a", "b"]);
    expect(state.live[0]?.exchange.chunkCount).toBe(9);
  });

  it("moves to the record when it ends, newest first", () => {
    const state = after([
      exchange(aLiveExchange({ id: "old", startedAt: 1 })),
      exchange(anExchange({ id: "new", startedAt: 2 })),
      exchange(anExchange({ id: "old", startedAt: 1 })),
    ]);
    expect(idsOf(state)).toEqual({ live: [], ended: ["new", "old"] });
  });

  it("does not come back to life by an update that its end overtook", () => {
    const state = after([exchange(anExchange()), exchange(aLiveExchange())]);
    expect(idsOf(state)).toEqual({ live: [], ended: ["exchange-1"] });
  });

  it("remembers when its last token was seen, not when it was last mentioned", () => {
    let state = apply(emptyState, snapshot({ takenAt: 1000 }), 1000);
    state = apply(state, exchange(aLiveExchange({ contentChunkCount: 5 })), 2000);
    state = apply(state, exchange(aLiveExchange({ contentChunkCount: 5 })), 3000);
    expect(state.live[0]?.seenAt).toBe(2000);
    state = apply(state, exchange(aLiveExchange({ contentChunkCount: 6 })), 4000);
    expect(state.live[0]?.seenAt).toBe(4000);
  });

  it("remembers when each of its phases began, as well as it can be known", () => {
    const waiting = (stage: "queued" | "prefill") =>
      aLiveExchange({ startedAt: 900, state: { phase: "waiting", stage } });
    let state = apply(emptyState, snapshot({ takenAt: 1000 }), 1000);
    state = apply(state, exchange(waiting("queued")), 1100);
    state = apply(state, exchange(waiting("prefill")), 1500);
    state = apply(state, exchange(waiting("prefill")), 1700);
    state = apply(
      state,
      exchange(aLiveExchange({ state: { phase: "streaming", firstTokenAt: 1990 } })),
      2100,
    );
    expect(state.live[0]?.phases).toEqual([
      { stage: "queued", at: 900 },
      { stage: "prefill", at: 1500 },
      { stage: "decoding", at: 1990 },
    ]);
  });

  it("is kept among the newest two hundred only", () => {
    const messages = Array.from({ length: 230 }, (_, index) =>
      exchange(anExchange({ id: `${index}`, startedAt: index })),
    );
    const { ended } = after(messages);
    expect(ended).toHaveLength(endedKept);
    expect(ended[0]?.id).toBe("229");
    expect(ended.at(-1)?.id).toBe("30");
  });
});

describe("the record", () => {
  it("adds what was read to what arrived, each once, and believes that it ended", () => {
    const state = after([
      exchange(anExchange({ id: "b", startedAt: 2 })),
      exchange(aLiveExchange({ id: "c", startedAt: 3 })),
    ]);
    const read = [
      anExchange({ id: "c", startedAt: 3 }),
      anExchange({ id: "b", startedAt: 2 }),
      anExchange({ id: "a", startedAt: 1 }),
      aLiveExchange({ id: "still-running" }),
    ];
    expect(idsOf(addEnded(state, read))).toEqual({ live: [], ended: ["c", "b", "a"] });
  });
});

describe("a load", () => {
  const load = { id: "load-1", startedAt: 1, model: "gemma3:4b", cause: "first" } as const;

  it("appears, learns what was measured, and goes when it is unloaded", () => {
    const measured = { pid: 1, anonymousBytes: 5, fileBytes: 0, sharedBytes: 0, swappedBytes: 0 };
    let state = after([{ type: "load", load }]);
    expect(state.models).toEqual([{ name: "gemma3:4b", loadId: "load-1" }]);
    state = after([{ type: "load", load: { ...load, measured } }], state);
    expect(state.models).toEqual([{ name: "gemma3:4b", loadId: "load-1", measured }]);
    state = after([{ type: "load", load: { ...load, unloadedAt: 9 } }], state);
    expect(state.models).toEqual([]);
    expect(state.loads).toMatchObject([{ id: "load-1", unloadedAt: 9 }]);
  });

  it("keeps what only Ollama knew", () => {
    const state = after([
      snapshot({ models: [aModel({ expiresAt: 99, loadId: undefined })] }),
      { type: "load", load },
    ]);
    expect(state.models).toEqual([{ name: "gemma3:4b", loadId: "load-1", expiresAt: 99 }]);
  });
});

describe("a conversation", () => {
  const said = (value = aConversation()): ServerMessage => ({ type: "conversation", conversation: value });

  it("appears, is replaced by news of it, and stands before those that are older", () => {
    const state = after([
      said(),
      said(aConversation({ id: "chat-2", lastAt: 9000 })),
      said(aConversation({ turnCount: 3 })),
    ]);
    expect(state.conversations.map(({ id, turnCount }) => [id, turnCount])).toEqual([
      ["chat-2", 2],
      ["chat-1", 3],
    ]);
  });

  it("keeps its turns when news of it leaves them out", () => {
    const turns = [anExchange()];
    const state = after([said(aConversation({ turns })), snapshot({ conversations: [aConversation()] })]);
    expect(state.conversations[0]?.turns?.map(({ id }) => id)).toEqual(["exchange-1"]);
  });
});

describe("an episode", () => {
  const said = (value = anEpisode()): ServerMessage => ({ type: "alert", alert: value });

  it("is updated in place, and stays when it has ended", () => {
    const state = after([said(), said(anEpisode({ level: "critical", endedAt: 5 })), snapshot()]);
    expect(state.episodes).toMatchObject([{ id: "episode-1", level: "critical", endedAt: 5 }]);
  });

  it("that a snapshot no longer knows as open is not shown as open", () => {
    expect(after([said(), snapshot()]).episodes).toEqual([]);
  });
});

describe("a snapshot with missing parts", () => {
  it("is shown as far as it goes", () => {
    const state = after([{ type: "snapshot", snapshot: {} } as unknown as ServerMessage]);
    expect(state).toMatchObject({ models: [], live: [], verdict: { state: "unknown" } });
    expect(state.health?.sampler.problems).toEqual([]);
  });

  it("leaves out entries that name nothing and fills in what is absent", () => {
    const broken = {
      exchanges: [null, {}, { id: "a" }],
      conversations: [{ id: "c" }, 7],
      episodes: [{ id: "e", remedies: [{ id: "r", text: "x" }] }],
      models: [{}],
      sample: { takenAt: 5 },
    };
    const state = after([{ type: "snapshot", snapshot: broken } as unknown as ServerMessage]);
    expect(state.live.map(({ exchange }) => exchange)).toMatchObject([{ id: "a", notices: [], client: {} }]);
    expect(state.conversations).toMatchObject([{ id: "c", notices: [], turnCount: 0 }]);
    expect(state.episodes).toMatchObject([{ causes: [], remedies: [{ commands: [] }] }]);
    expect(state.models).toEqual([{ name: "unnamed" }]);
    expect(state.sample).toMatchObject({ gpus: [], runners: [] });
  });

  it("and messages without their object change nothing", () => {
    const before = after([snapshot()]);
    for (const type of ["exchange", "load", "conversation"]) {
      const state = after([{ type } as unknown as ServerMessage], before);
      expect(state).toMatchObject({ live: [], loads: [], conversations: [] });
    }
  });
});

describe("removal", () => {
  it("takes exchanges and loads away and leaves the rest alone", () => {
    const before = after([
      snapshot({ models: [aModel()], exchanges: [aLiveExchange({ id: "live" }), anExchange()] }),
    ]);
    const state = after(
      [
        { type: "removed", kind: "exchange", id: "live" },
        { type: "removed", kind: "exchange", id: "exchange-1" },
        { type: "removed", kind: "load", id: "load-1" },
        { type: "removed", kind: "alert", id: "x" },
      ],
      before,
    );
    expect(idsOf(state)).toEqual({ live: [], ended: [] });
    expect(state.models).toEqual([]);
  });
});

describe("a message of a newer server", () => {
  it("changes nothing", () => {
    const before = after([snapshot()]);
    const unknown = { type: "weather", weather: {} } as unknown as ServerMessage;
    expect(apply(before, unknown, 0)).toBe(before);
  });
});

describe("any order of messages", () => {
  it("never shows an exchange twice, nor one as running that has ended", () => {
    const id = fc.constantFrom("a", "b", "c");
    const message = fc.oneof(
      id.map((value) => exchange(aLiveExchange({ id: value }))),
      id.map((value) => exchange(anExchange({ id: value }))),
      fc
        .array(id, { maxLength: 3 })
        .map((ids) =>
          snapshot({ exchanges: [...new Set(ids)].map((value) => aLiveExchange({ id: value })) }),
        ),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 30 }), (messages) => {
        const { live, ended } = idsOf(after(messages));
        expect(new Set([...live, ...ended]).size).toBe(live.length + ended.length);
      }),
      { numRuns: 300, seed: 11 },
    );
  });
});
