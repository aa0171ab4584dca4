/** The whole run, from the options to the report. */
import { availableParallelism, release, type } from "node:os";
import { ALL_CASES } from "../cases/all.ts";
import type { BenchCase } from "../cases/case.ts";
import type { Cleanup } from "../machine/cleanup.ts";
import { createQuiet } from "../machine/quiet.ts";
import { judge } from "../report/budgets.ts";
import type { CaseResult, Report, RunFacts } from "../report/report.ts";
import { monotonicMs } from "../wire/clock.ts";
import { openBench } from "./open.ts";
import type { Options } from "./options.ts";
import { runCase } from "./runCase.ts";
import { FULL, QUICK } from "./scale.ts";

export async function runAll(
  options: Options,
  { cleanup, progress }: { cleanup: Cleanup; progress: (text: string) => void },
): Promise<Report> {
  const scale = { ...(options.quick ? QUICK : FULL) };
  scale.rounds = options.rounds ?? scale.rounds;
  progress("starting the targets");
  const { bench, targets, skipped } = await openBench(options, cleanup);
  const { quietly, othersMaxRatio } = createQuiet({
    proc: bench.proc,
    ownPid: process.pid,
    cores: availableParallelism(),
    monotonic: monotonicMs,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    busyOk: options.busyOk,
    lookMs: options.quick ? 300 : 1000,
  });

  const cases: CaseResult[] = [];
  const names = new Set(targets.map((target) => target.name));
  for (const benchCase of chosenCases(options, names)) {
    cases.push(await runCase(benchCase, { bench, targets, scale, quietly, progress }));
  }
  const facts: RunFacts = {
    date: new Date().toISOString().slice(0, 10),
    cores: availableParallelism(),
    system: `${type()} ${release().split(".", 2).join(".")}`,
    nodeVersion: process.versions.node,
    seed: options.seed,
    quick: options.quick,
    busyOk: options.busyOk,
    othersMaxRatio: othersMaxRatio(),
    targets: targets.map(({ name, label, version }) => ({ name, label, version })),
    skipped,
  };
  return { facts, cases, verdicts: judge(cases) };
}

/** The cases in OpenAI's dialect repeat others, so they only run where a target knows no other, or when asked for. */
function chosenCases(options: Options, targetNames: ReadonlySet<string>): BenchCase[] {
  return ALL_CASES.filter(({ name, dialect }) =>
    options.cases.length > 0
      ? options.cases.includes(name)
      : dialect === "ollama" || targetNames.has("portkey"),
  );
}
