/** `npm run bench`: measures Plimsoll beside other proxies and writes down what came out. See `--help`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ALERT_FIXTURES, compareAlerts } from "./alerts/compare.ts";
import { alertSection, withAlertSection } from "./alerts/section.ts";
import { ALL_CASES } from "./cases/all.ts";
import { createCleanup } from "./machine/cleanup.ts";
import { BusyError } from "./machine/quiet.ts";
import { renderReport } from "./report/report.ts";
import { helpText } from "./run/help.ts";
import { readOptions, UsageError, type Options } from "./run/options.ts";
import { runAll } from "./run/runAll.ts";

const cleanup = createCleanup();

async function measure(options: Options): Promise<void> {
  const report = await runAll(options, {
    cleanup,
    progress: (text) => process.stderr.write(`${new Date().toTimeString().slice(0, 8)}  ${text}\n`),
  });
  const page = renderReport(report);
  const data = `${JSON.stringify(report, undefined, 2)}\n`;
  process.stdout.write(options.json ? data : page);
  if (options.output !== undefined) {
    mkdirSync(options.output, { recursive: true });
    writeFileSync(
      join(options.output, "results.md"),
      withAlertSection(page, alertSection(compareAlerts(ALERT_FIXTURES))),
    );
    writeFileSync(join(options.output, "results.json"), data);
  }
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), {
    known: ALL_CASES.map((benchCase) => benchCase.name),
    resultsDirectory: import.meta.dirname,
  });
  if (options.help) {
    process.stdout.write(helpText(ALL_CASES));
    return 0;
  }
  if (process.platform !== "linux") {
    throw new UsageError("the bench reads /proc and runs on Linux only");
  }
  await measure(options);
  return 0;
}

for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => void cleanup.run().then(() => process.exit(status)));
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
  if (!(error instanceof UsageError || error instanceof BusyError)) {
    process.stderr.write(`${error instanceof Error ? error.stack : ""}\n`);
  }
} finally {
  await cleanup.run();
}
