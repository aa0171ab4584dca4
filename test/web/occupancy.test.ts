import { describe, expect, it } from "vitest";
import { occupancyOf } from "../../web/occupancy.ts";
import { aLiveExchange, aLoad, anExchange } from "./support.ts";

const turn = (conversationId: string, endedAt: number, contextTokensUsed: number) =>
  anExchange({
    id: `${conversationId}-${endedAt}`,
    conversationId,
    contextTokensUsed,
    state: { phase: "completed", endedAt },
  });

describe("occupancy", () => {
  const load = aLoad({ startedAt: 1000, contextLength: 1000 });

  it("is what the latest turn left in the cells", () => {
    const { ratio } = occupancyOf([turn("a", 2000, 100), turn("a", 4000, 300)]);
    expect([1500, 2500, 9000].map((at) => ratio(load, at))).toEqual([0, 0.1, 0.3]);
  });

  it("counts as many chats as there are slots, each once", () => {
    const turns = [turn("a", 2000, 100), turn("a", 3000, 200), turn("b", 4000, 400), turn("c", 5000, 600)];
    expect(occupancyOf(turns).ratio({ ...load, parallel: 2 }, 9000)).toBe(0.5);
    expect(occupancyOf(turns).ratio(load, 9000)).toBe(0.6);
  });

  it("begins anew with each load, and never exceeds what there is", () => {
    const { ratio } = occupancyOf([turn("a", 500, 900), turn("a", 4000, 4000)]);
    expect(ratio(load, 2000)).toBe(0);
    expect(ratio(load, 5000)).toBe(1);
  });

  it("includes the prompt that is being answered", () => {
    const exchange = aLiveExchange({ prediction: { inputTokens: { predicted: 700 } } });
    const { ratio } = occupancyOf([], [{ exchange, seenAt: 3000, phases: [] }]);
    expect(ratio(load, 3000)).toBe(0.7);
  });

  it("is nothing where the context's length is not known", () => {
    expect(occupancyOf([turn("a", 2000, 9)]).ratio({ ...load, contextLength: undefined }, 9000)).toBe(0);
  });
});
