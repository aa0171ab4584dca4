import { describe, expect, it } from "vitest";
import { createCaps } from "../../../src/alerts/guard/caps.ts";
import { createResidency } from "../../../src/alerts/guard/residency.ts";
import { runnerChange, type RunnerOptions } from "../../../src/alerts/guard/runnerChange.ts";
import { canonicalName } from "../../../src/models/names.ts";

const ask = (contextLength?: number, options: RunnerOptions["options"] = {}): RunnerOptions => ({
  contextLength,
  options,
});

describe("a request starts a runner", () => {
  it.each<[string, RunnerOptions, Parameters<typeof runnerChange>[1], string]>([
    ["for a model that has none", ask(), {}, "loads"],
    ["not for the context that is loaded", ask(8192), { loaded: { contextLength: 8192 } }, "none"],
    ["for a larger context", ask(8192), { loaded: { contextLength: 4096 } }, "loads"],
    ["for a smaller context too", ask(2048), { loaded: { contextLength: 4096 } }, "loads"],
    [
      "not for more than the model was trained for, when that is loaded",
      ask(1_000_000),
      { loaded: { contextLength: 32_768 }, trainedContextLength: 32_768 },
      "none",
    ],
    ["not for two that name no context", ask(), { loaded: { contextLength: 4096 }, last: ask() }, "none"],
    [
      "for one that names none after one that did, where the default is known and another",
      ask(),
      { loaded: { contextLength: 32_768 }, last: ask(32_768), defaultContextLength: 4096 },
      "loads",
    ],
    [
      "perhaps, where the default is not known",
      ask(),
      { loaded: { contextLength: 32_768 }, last: ask(32_768) },
      "unknown",
    ],
    ["perhaps, where nothing was seen before", ask(), { loaded: { contextLength: 4096 } }, "unknown"],
    ["perhaps, where the loaded context is not told", ask(4096), { loaded: {} }, "unknown"],
    [
      "for another number of layers",
      ask(4096, { num_gpu: 10 }),
      { loaded: { contextLength: 4096 }, last: ask(4096) },
      "loads",
    ],
    [
      "not for what is the default anyway",
      ask(4096, { num_gpu: -1, shift: true }),
      { loaded: { contextLength: 4096 }, last: ask(4096) },
      "none",
    ],
    [
      "when shifting is switched off",
      ask(4096, { shift: false }),
      { loaded: { contextLength: 4096 }, last: ask(4096) },
      "loads",
    ],
    [
      "perhaps, with options never seen before",
      ask(4096, { num_thread: 4 }),
      { loaded: { contextLength: 4096 } },
      "unknown",
    ],
  ])("%s", (_name, asked, now, change) => {
    expect(runnerChange(asked, now)).toBe(change);
  });
});

describe("how many models stay", () => {
  const model = (name: string, expiresAt = 10_000_000) => ({ name, expiresAt });

  it("is learned from one that had to go for another, and unlearned when more are seen", () => {
    const { seen, limit } = createResidency(canonicalName);
    seen([model("a")], 0);
    expect(limit()).toBeUndefined();
    seen([], 10_000);
    seen([model("b")], 20_000);
    expect(limit()).toBe(1);
    seen([model("b"), model("c")], 30_000);
    expect(limit()).toBeUndefined();
  });

  it("is not learned from one that expired, was unloaded on request, or came back itself", () => {
    const { seen, limit, unloadAsked } = createResidency(canonicalName);
    seen([model("a", 5000)], 0);
    seen([model("b")], 10_000);
    expect(limit()).toBeUndefined();
    unloadAsked("B:latest");
    seen([], 20_000);
    seen([model("c")], 30_000);
    expect(limit()).toBeUndefined();
    seen([], 40_000);
    seen([model("c")], 50_000);
    expect(limit()).toBeUndefined();
  });
});

describe("a cap", () => {
  const loaded = (contextLength: number) => [{ name: "m", contextLength }];

  it("holds from the decision until its runner has gone", () => {
    const caps = createCaps(canonicalName);
    caps.set("m:latest", 8192, 0);
    caps.modelsSeen([], 1000);
    expect(caps.of("m:latest")).toBe(8192);
    caps.modelsSeen(loaded(8192), 2000);
    caps.modelsSeen(loaded(8192), 3000);
    expect(caps.of("m:latest")).toBe(8192);
    caps.modelsSeen([], 4000);
    expect(caps.of("m:latest")).toBeUndefined();
  });

  it("goes when the model is loaded with another context, or its load never came about", () => {
    const caps = createCaps(canonicalName);
    caps.set("m:latest", 8192, 0);
    caps.modelsSeen(loaded(8192), 0);
    caps.modelsSeen(loaded(2048), 1000);
    expect(caps.of("m:latest")).toBeUndefined();
    caps.set("m:latest", 8192, 2000);
    caps.modelsSeen([], 2000 + 11 * 60_000);
    expect(caps.of("m:latest")).toBeUndefined();
  });
});
