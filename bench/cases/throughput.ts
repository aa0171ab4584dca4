import type { Dialect } from "../wire/request.ts";
import { eachInTurn, type BenchCase } from "./case.ts";
import { watchWhile } from "./watch.ts";

const CHUNK_COUNT = 200;
const CLIENT_COUNT = 32;

/** How many streams get through when nobody waits. */
export function throughputCase(name: string, dialect: Dialect): BenchCase {
  return {
    name,
    dialect,
    title: `streams of ${CHUNK_COUNT} chunks per second`,
    about: `${CLIENT_COUNT} clients, each starting its next stream when the last has ended; the mock sends without a pause, one chunk of each stream in turn. Driver, mock and target share the processors.`,
    metrics: [
      { id: "streamsPerSecond", label: "streams/s", decimals: 0, ratio: true },
      { id: "cpuMsPerThousand", label: "CPU, ms per 1000 chunks", decimals: 2, ratio: true },
    ],
    measure: (targets, { driver, proc }, { throughputMs }) =>
      eachInTurn(targets, async (target) => {
        const { value, usage } = await watchWhile(proc, target, () =>
          driver.ask("runThroughput", {
            port: target.port,
            fields: target.fields,
            dialect,
            chunkCount: CHUNK_COUNT,
            intervalMs: 0,
            clientCount: CLIENT_COUNT,
            durationMs: throughputMs,
          }),
        );
        const thousands = (value.streamCount * CHUNK_COUNT) / 1000;
        return {
          streamsPerSecond: (value.streamCount / value.elapsedMs) * 1000,
          ...(usage && { cpuMsPerThousand: usage.cpuMs / thousands }),
        };
      }),
  };
}
