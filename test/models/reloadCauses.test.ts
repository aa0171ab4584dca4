/** Why two real Ollamas loaded their models, told with and without sight of their runners. */
import { describe, expect, it } from "vitest";
import type { Load, RunnerSettings } from "../../src/types.ts";
import { readScenarios, replay, type Scenario, type SeenRunner } from "./replayLoads.ts";

const NEVER = Number.POSITIVE_INFINITY;

/** v0.33 says in its runner's arguments what v0.24 tells its runner in a request. */
function settingsOf(version: string, contextLength: number): RunnerSettings {
  return version === "v0.33"
    ? { contextLength, totalContextLength: contextLength, parallel: 1, contextShift: true, mmap: false }
    : {};
}

/** The runners there really were: which request made each start, what it was given, and until when it lived. */
function runners(
  version: string,
  scenario: Scenario,
  starts: readonly { request: number; context: number; until?: number }[],
): SeenRunner[] {
  const before: SeenRunner[] = scenario.loadedBefore.map(({ name, contextLength }) => ({
    model: name,
    from: -9000,
    to: scenario.requests[0]?.endedAt ?? NEVER,
    settings: settingsOf(version, contextLength),
  }));
  const started = starts.map(({ request, context, until }, index): SeenRunner => {
    const { model, startedAt } = scenario.requests[request] ?? { model: "", startedAt: 0 };
    const next = starts[index + 1];
    const replacedAt = next === undefined ? NEVER : (scenario.requests[next.request]?.startedAt ?? 0) + 60;
    return {
      model,
      from: startedAt + 60,
      to: until ?? replacedAt,
      settings: settingsOf(version, context),
    };
  });
  return [...before, ...started];
}

function summary(loads: readonly Load[], model: string): unknown[] {
  return loads
    .filter((load) => load.model === model)
    .map(({ cause, exchangeId, differences }) => [
      cause,
      exchangeId,
      (differences ?? [])
        .map(({ option, from, to }) => `${option} ${from ?? "unset"} → ${to ?? "unset"}`)
        .join(),
    ]);
}

describe.each(["v0.24", "v0.33"])("%s", (version) => {
  const scenarios = readScenarios(version);
  const scenario = (name: string): Scenario => {
    const found = scenarios[name];
    if (found === undefined) {
      throw new Error(`no scenario ${name}`);
    }
    return found;
  };

  describe.each(["runners are seen", "only /api/ps and the answers"])("%s", (sight) => {
    const seen = (
      name: string,
      starts: readonly { request: number; context: number; until?: number }[],
    ): Load[] =>
      replay(
        scenario(name),
        sight === "runners are seen" ? runners(version, scenario(name), starts) : undefined,
      );

    it("19: num_ctx 1024, 1024, 2048, none, 1024 is one load and three reloads, each with its option", () => {
      const loads = seen("19-num-ctx-reload", [
        { request: 0, context: 1024 },
        { request: 2, context: 2048 },
        { request: 3, context: 4096 },
        { request: 4, context: 1024 },
      ]);
      expect(summary(loads, "gemma3:270m")).toEqual([
        ["first", "exchange-0", ""],
        ["options", "exchange-2", "num_ctx 1024 → 2048"],
        ["options", "exchange-3", "num_ctx 2048 → 4096"],
        ["options", "exchange-4", "num_ctx 4096 → 1024"],
      ]);
      const gemma = loads.filter(({ model }) => model === "gemma3:270m");
      const { requests } = scenario("19-num-ctx-reload");
      expect(gemma.map(({ loadMs }) => loadMs)).toEqual([0, 2, 3, 4].map((index) => requests[index]?.loadMs));
      expect(
        gemma.slice(1).every(({ client, previousClient }) => client === "lab" && previousClient === "lab"),
      ).toBe(true);
    });

    it("06: loaded once, and used warm", () => {
      const until = (scenario("06-ps-lifecycle").requests[2]?.endedAt ?? 0) + 60;
      const [load, ...more] = seen("06-ps-lifecycle", [{ request: 0, context: 1024, until }]);
      expect(more).toEqual([]);
      expect(load).toMatchObject({ cause: "first", exchangeId: "exchange-0", contextLength: 1024 });
      expect(load?.loadMs).toBeCloseTo((scenario("06-ps-lifecycle").requests[0]?.endedAt ?? 0) - 3, -2);
      expect(load?.unloadedAt).toBeGreaterThan(7800);
    });

    it("11: loaded again because it had been unloaded on request", () => {
      const { requests } = scenario("11-load-unload");
      const loads = seen("11-load-unload", [
        { request: 1, context: 1024, until: (requests[5]?.endedAt ?? 0) + 100 },
        { request: 6, context: 1024, until: (requests[6]?.endedAt ?? 0) + 100 },
      ]);
      expect(summary(loads, "gemma3:270m")).toEqual([
        ["first", "exchange-1", ""],
        ["expired", "exchange-6", ""],
      ]);
    });

    it("36c: a runner that the kernel killed while it loaded is a crash, not an option of the next request", () => {
      const { requests } = scenario("36c-oom-killed-by-kernel");
      const loads = seen("36c-oom-killed-by-kernel", [
        { request: 0, context: 8192 },
        { request: 1, context: 65_536, until: (requests[1]?.endedAt ?? 0) - 50 },
        { request: 2, context: 8192 },
      ]);
      const causes = loads.map(({ cause }) => cause);
      // Without sight of it, a load that never ends is not there.
      expect(causes).toEqual(
        sight === "runners are seen" ? ["first", "options", "crashed"] : ["first", "crashed"],
      );
    });

    it("39: a load that its client left is thrown away and replaces nothing", () => {
      const loads = seen("39-disconnect-during-load", [{ request: 0, context: 1024, until: 560 }]);
      expect(loads.map(({ cause }) => cause)).toEqual(sight === "runners are seen" ? ["first"] : []);
    });

    it.each(["44-cloud-and-misc", "50-concurrent-parallel2", "51-concurrent-mixed"])(
      "%s: warm requests, two names of one model and waiting in line are no loads",
      (name) => {
        const found = scenarios[name];
        if (found !== undefined) {
          const alive = { ...found, loadedBefore: found.loadedBefore };
          const loads = replay(
            alive,
            sight === "runners are seen"
              ? runners(version, alive, []).map((runner) => ({ ...runner, to: NEVER }))
              : undefined,
          );
          expect(loads).toHaveLength(1);
          expect(loads[0]).toMatchObject({ cause: "unknown", model: "gemma3:270m" });
        }
      },
    );
  });

  it("40: each runner that was killed in the middle of an answer is a crash", () => {
    const { requests } = scenario("40-runner-killed-midstream");
    const died = (index: number): number => (requests[index]?.endedAt ?? 0) - 3;
    const loads = replay(
      scenario("40-runner-killed-midstream"),
      runners(version, scenario("40-runner-killed-midstream"), [
        { request: 1, context: 1024, until: died(1) },
        { request: 2, context: 4096, until: died(2) },
        { request: 3, context: 4096, until: died(3) },
        { request: 4, context: 4096, until: died(4) },
        { request: 5, context: 1024, until: died(5) },
      ]),
    );
    expect(loads.map(({ cause }) => cause)).toEqual([
      "unknown",
      "crashed",
      "crashed",
      "crashed",
      "crashed",
      "crashed",
    ]);
    expect(loads.map(({ exchangeId }) => exchangeId)).toEqual([
      undefined,
      ...[1, 2, 3, 4, 5].map((index) => `exchange-${index}`),
    ]);
  });
});
