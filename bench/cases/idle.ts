import { emptyRound, type BenchCase } from "./case.ts";
import { MIB } from "./watch.ts";

/** What a target costs while nobody uses it. All are watched over the same seconds. */
export const idleCase: BenchCase = {
  name: "idle",
  dialect: "ollama",
  title: "at rest",
  about:
    "Processor time of each target over the same quiet seconds, in % of one core, and its resident memory after them. Plimsoll samples memory once a second and asks Ollama what is loaded.",
  metrics: [
    { id: "cpuPercent", label: "CPU, % of a core", decimals: 2 },
    { id: "rssMiB", label: "RSS, MiB", decimals: 0 },
  ],
  once: true,
  async measure(targets, { proc }, { idleSeconds }) {
    const round = emptyRound();
    const watched = targets.flatMap(({ name, pid }) =>
      pid === undefined ? [] : [{ name, pids: proc.withDescendants([pid]) }],
    );
    const before = watched.map(({ pids }) => proc.cpuMs(pids));
    const startMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
    const elapsedMs = performance.now() - startMs;
    watched.forEach(({ name, pids }, index) => {
      round.values.set(name, {
        cpuPercent: ((proc.cpuMs(pids) - (before[index] ?? 0)) / elapsedMs) * 100,
        rssMiB: proc.rssBytes(pids) / MIB,
      });
    });
    return round;
  },
};
