import { median, pairedDifferences, quantile } from "../report/stats.ts";
import type { Dialect } from "../wire/request.ts";
import { emptyRound, type BenchCase } from "./case.ts";

/** How much later the first byte of an answer comes than without the target. */
export function firstByteCase(name: string, dialect: Dialect): BenchCase {
  return {
    name,
    dialect,
    title: "added time to first byte",
    about:
      "One small chat to each target in turn, in a new random order each time, over a kept connection; the mock answers at once. Added: the differences to direct of the same turn, their median and 99th percentile in each round.",
    metrics: [
      { id: "p50Ms", label: "p50, ms", decimals: 2 },
      { id: "addedP50Ms", label: "added p50, ms", decimals: 2, ratio: true },
      { id: "addedP99Ms", label: "added p99, ms", decimals: 2, ratio: true },
    ],
    async measure(targets, { driver, random }, { requestCount }) {
      const indexes = targets.map((_, index) => index);
      const times = await driver.ask("runRequests", {
        dialect,
        targets: targets.map(({ name, port, fields }) => ({ name, port, fields })),
        orders: Array.from({ length: requestCount }, () => random.shuffle(indexes)),
        stream: true,
        imageBytes: 0,
        pauseMs: 1,
      });
      const round = emptyRound();
      const direct = times[targets.findIndex((target) => target.name === "direct")]?.firstByteMs ?? [];
      targets.forEach((target, index) => {
        const { firstByteMs = [], failure } = times[index] ?? {};
        if (failure !== undefined) {
          round.failures.set(target.name, failure);
          return;
        }
        const added = target.name === "direct" ? [] : pairedDifferences(firstByteMs, direct);
        round.values.set(target.name, {
          ...figure("p50Ms", median(firstByteMs)),
          ...figure("addedP50Ms", median(added)),
          ...figure("addedP99Ms", quantile(added, 0.99)),
        });
      });
      return round;
    },
  };
}

function figure(id: string, value: number | undefined): Record<string, number> {
  return value === undefined ? {} : { [id]: value };
}
