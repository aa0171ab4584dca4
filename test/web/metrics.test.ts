import { describe, expect, it } from "vitest";
import { compareExchange, compareLoad, metrics } from "../../web/metrics.ts";
import { scatterPoints } from "../../web/scatter.ts";
import { aLoad, anEstimate, anExchange, aRunner } from "./support.ts";

const context = metrics[0];
if (!context) throw new Error("there is no metric");

describe("predicted and actual", () => {
  it("come with the error the server gave, or one of the page's own", () => {
    const scored = anExchange({
      prediction: { contextTokensUsed: { predicted: 110, low: 90, high: 130, actual: 100, errorRatio: 0.1 } },
    });
    expect(compareExchange(scored, context)).toEqual({
      predicted: 110,
      low: 90,
      high: 130,
      actual: 100,
      errorRatio: 0.1,
    });
    const own = anExchange({ contextTokensUsed: 200, prediction: { contextTokensUsed: { predicted: 150 } } });
    expect(compareExchange(own, context)).toMatchObject({ actual: 200, errorRatio: -0.25 });
  });

  it("stand alone where only one of them is known", () => {
    expect(compareExchange(anExchange({ contextTokensUsed: 5 }), context)).toEqual({ actual: 5 });
    const open = anExchange({ prediction: { contextTokensUsed: { predicted: 5 } } });
    expect(compareExchange(open, context).errorRatio).toBeUndefined();
  });

  it("of a load are its memory", () => {
    const load = aLoad({ predicted: anEstimate(), measured: aRunner({ anonymousBytes: 1000 }) });
    expect(compareLoad(load)).toMatchObject({ predicted: 1230, actual: 1000, errorRatio: 0.23 });
    expect(compareLoad(aLoad())).toEqual({ actual: undefined });
  });
});

describe("the scatter", () => {
  it("has a dot for what was predicted and came, and a range that holds them all", () => {
    const one = anExchange({
      id: "1",
      contextTokensUsed: 100,
      prediction: { contextTokensUsed: { predicted: 50 } },
    });
    const none = anExchange({
      id: "2",
      contextTokensUsed: 0,
      prediction: { contextTokensUsed: { predicted: 50 } },
    });
    expect(scatterPoints([one, none, anExchange()], context)).toMatchObject({
      dots: [{ id: "1", predicted: 50, actual: 100 }],
      low: 50,
      high: 100,
    });
  });
});
