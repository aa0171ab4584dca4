import { median, pairedDifferences } from "../report/stats.ts";
import { emptyRound, type BenchCase } from "./case.ts";

/** `share`: of the round's requests, so that a round of large ones does not take minutes. */
const SIZES = [
  { id: "small", label: "1 KB", imageBytes: 1000, share: 0.2 },
  { id: "medium", label: "5 MB", imageBytes: 5_000_000, share: 0.04 },
  { id: "large", label: "20 MB", imageBytes: 20_000_000, share: 0.02 },
];

/** How much longer a request of some size takes, from its first byte to the last byte of its answer. */
export const requestSizeCase: BenchCase = {
  name: "request-size",
  dialect: "ollama",
  title: "time to answer a request of 1 KB, 5 MB, 20 MB",
  about:
    "A chat with a base64 image to each target in turn, in random order, not streamed. Added: median difference to direct of the same turn.",
  metrics: SIZES.flatMap(({ id, label }) => [
    { id: `${id}Ms`, label: `${label}, ms`, decimals: 1 },
    { id: `${id}AddedMs`, label: "added, ms", decimals: 1, ratio: true },
  ]),
  async measure(targets, { driver, random }, { requestCount }) {
    const round = emptyRound();
    const indexes = targets.map((_, index) => index);
    const directIndex = targets.findIndex((target) => target.name === "direct");
    for (const { id, imageBytes, share } of SIZES) {
      const count = Math.max(2, Math.round(requestCount * share));
      const times = await driver.ask("runRequests", {
        dialect: "ollama",
        targets: targets.map(({ name, port, fields }) => ({ name, port, fields })),
        orders: Array.from({ length: count }, () => random.shuffle(indexes)),
        stream: false,
        imageBytes,
        // A large body is read after it has been passed on: without a pause that would be the next target's delay.
        pauseMs: imageBytes > 100_000 ? 150 : 1,
      });
      const direct = times[directIndex]?.answeredMs ?? [];
      targets.forEach((target, index) => {
        const { answeredMs = [], failure } = times[index] ?? {};
        const own = median(answeredMs);
        const added = target.name === "direct" ? undefined : median(pairedDifferences(answeredMs, direct));
        if (failure !== undefined) {
          round.failures.set(target.name, failure);
        }
        round.values.set(target.name, {
          ...round.values.get(target.name),
          ...(own === undefined ? {} : { [`${id}Ms`]: own }),
          ...(added === undefined ? {} : { [`${id}AddedMs`]: added }),
        });
      });
    }
    return round;
  },
};
