import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ServerMessage } from "../../src/types.ts";
import type { PageState } from "../../web/state.ts";
import { addEnded, apply, emptyState, endedKept } from "../../web/state.ts";
import { aLiveExchange, aModel, anExchange, aSample, aSnapshot } from "./support.ts";

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

  it("is kept among the newest fifty only", () => {
    const messages = Array.from({ length: 80 }, (_, index) =>
      exchange(anExchange({ id: `${index}`, startedAt: index })),
    );
    const { ended } = after(messages);
    expect(ended).toHaveLength(endedKept);
    expect(ended[0]?.id).toBe("79");
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
  });

  it("keeps what only Ollama knew", () => {
    const state = after([
      snapshot({ models: [aModel({ expiresAt: 99, loadId: undefined })] }),
      { type: "load", load },
    ]);
    expect(state.models).toEqual([{ name: "gemma3:4b", loadId: "load-1", expiresAt: 99 }]);
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
