import type { FingerprintInput } from "../driver/fingerprint.ts";
import type { Target } from "../targets/target.ts";
import type { Dialect } from "../wire/request.ts";
import { eachInTurn, type Bench, type BenchCase } from "./case.ts";

type Exchange = Omit<FingerprintInput, "port" | "fields" | "dialect">;

const EXCHANGES: readonly Exchange[] = [
  { chunkCount: 200, intervalMs: 0, stream: true, imageBytes: 0, framing: "length" },
  { chunkCount: 20, intervalMs: 5, stream: true, imageBytes: 0, framing: "chunked" },
  { chunkCount: 50_000, intervalMs: 0, stream: false, imageBytes: 0, framing: "length" },
  { chunkCount: 1, intervalMs: 0, stream: false, imageBytes: 5_000_000, framing: "length" },
  { chunkCount: 1, intervalMs: 0, stream: true, imageBytes: 3_000_000, framing: "chunked" },
];

/** Whether what was sent is what arrived, both ways. */
export function sameBytesCase(name: string, dialect: Dialect): BenchCase {
  return {
    name,
    dialect,
    title: `identical bodies, of ${EXCHANGES.length} exchanges`,
    about:
      "SHA-256 of each body where it is sent and where it arrives: streamed and whole answers, small and large requests, of known length and chunked.",
    metrics: [
      { id: "requests", label: "requests", decimals: 0 },
      { id: "answers", label: "answers", decimals: 0 },
    ],
    once: true,
    async measure(targets, bench) {
      await bench.mock.ask("keepDigests", true);
      const round = await eachInTurn(targets, (target) => compareAll(target, dialect, bench));
      await bench.mock.ask("keepDigests", false);
      return round;
    },
  };
}

async function compareAll(target: Target, dialect: Dialect, bench: Bench): Promise<Record<string, number>> {
  const same = { requests: 0, answers: 0 };
  const { port, fields } = target;
  for (const exchange of EXCHANGES) {
    const outside = await bench.driver.ask("takeFingerprint", { ...exchange, dialect, port, fields });
    const inside = await bench.mock.ask("lastDigests", null);
    same.requests += outside.requestSha256 === inside?.requestSha256 ? 1 : 0;
    same.answers += outside.answerSha256 === inside?.answerSha256 ? 1 : 0;
  }
  return same;
}
