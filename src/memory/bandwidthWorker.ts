/** One thread of the bandwidth measurement: says when its blocks are there, copies from "go" on, tells each pass. */
import { parentPort, workerData } from "node:worker_threads";

const { blockBytes, forMs } = workerData as { blockBytes: number; forMs: number };
const source = Buffer.allocUnsafeSlow(blockBytes).fill(1);
const target = Buffer.allocUnsafeSlow(blockBytes).fill(2);

parentPort?.once("message", () => {
  const passes: { bytes: number; ms: number }[] = [];
  const endsAt = performance.now() + forMs;
  let began = performance.now();
  while (began < endsAt) {
    source.copy(target);
    const ended = performance.now();
    passes.push({ bytes: blockBytes, ms: ended - began });
    began = ended;
  }
  parentPort?.postMessage(passes);
});
parentPort?.postMessage("ready");
