/** One case: a warm-up that is thrown away, then its rounds, each with the targets in a new random order. */
import type { Bench, BenchCase, Scale } from "../cases/case.ts";
import type { Quiet } from "../machine/quiet.ts";
import type { CaseResult } from "../report/report.ts";
import { summarise, type Round } from "../report/summary.ts";
import type { Target } from "../targets/target.ts";
import { warmUp } from "./scale.ts";

export interface RunCaseParts {
  bench: Bench;
  targets: readonly Target[];
  scale: Scale;
  /** Does a round while nobody else uses the machine. */
  quietly: Quiet["quietly"];
  progress(text: string): void;
}

export async function runCase(benchCase: BenchCase, parts: RunCaseParts): Promise<CaseResult> {
  const { bench, scale } = parts;
  const { name, title, about, metrics } = benchCase;
  const targets = (await benchCase.ownTargets?.(bench)) ?? suitable(parts.targets, benchCase);
  const roundCount = benchCase.once === true ? 1 : scale.rounds;
  if (benchCase.once !== true) {
    parts.progress(`${name}: warming up`);
    await benchCase.measure(targets, bench, warmUp(scale));
  }
  const rounds: Round[] = [];
  for (let index = 0; index < roundCount; index += 1) {
    const round = await parts.quietly(() => {
      parts.progress(`${name}: round ${index + 1} of ${roundCount}`);
      return benchCase.measure(bench.random.shuffle(targets), bench, scale);
    });
    rounds.push(round);
  }
  const rows = summarise({ metrics, targets, rounds, reference: "nginx" });
  return { name, title, about, metrics, roundCount, rows };
}

function suitable(targets: readonly Target[], { name, dialect }: BenchCase): Target[] {
  return targets.filter(
    (target) => target.dialects.includes(dialect) && (target.cases?.includes(name) ?? true),
  );
}
