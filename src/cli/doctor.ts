/** `plimsoll doctor`: looks at everything Plimsoll needs, and says what to do about what it finds. */
import { existsSync } from "node:fs";
import { isLoopback } from "../config.ts";
import { createMemorySource } from "../memory/source.ts";
import { upstreamAddress } from "../proxy/upstream.ts";
import { readMigrations } from "../store/migrate.ts";
import { checksText, type Check } from "./doctor/check.ts";
import { checkGpu, checkMemory, findProgram, readOnce } from "./doctor/memory.ts";
import { checkPort, checkUpstream } from "./doctor/network.ts";
import { readOllamaEnvironment, runProgram } from "./doctor/ollamaEnvironment.ts";
import { judgeOllamaSettings, settingsOfRunners, type OllamaSetting } from "./doctor/ollamaSettings.ts";
import { checkNode, checkSettings } from "./doctor/program.ts";
import { checkClock, checkRecord, clockIsSynchronised } from "./doctor/record.ts";
import { unchangedClients, type SetUp } from "./doctor/unchanged.ts";
import { EXIT } from "./exit.ts";
import { MIGRATIONS_DIRECTORY, readVersion } from "./paths.ts";
import type { Command } from "./command.ts";
import { readSettings, type Settings } from "./settings.ts";
import { say, sayJson } from "./terminal.ts";

interface Diagnosis {
  version: string;
  checks: Check[];
  ollama: { source: string; settings: OllamaSetting[] };
  unchangedClients: SetUp;
}

export const doctor: Command = {
  summary: "check what Plimsoll needs, and what Ollama's settings mean for memory",
  usage: `plimsoll doctor [--json] [settings]

Checks Node, the settings, the port, Ollama, what of memory and graphics cards is visible, the record and the clock, and
lists Ollama's settings that decide about memory with a line of advice each. Changes nothing, loads nothing.
Ends with 1 when something keeps Plimsoll from its work.

  --json                 everything as JSON
  --listen, --upstream, --data-dir, --config   as for plimsoll serve`,
  async run(args) {
    const settings = readSettings(args, { json: { type: "boolean" } });
    const diagnosis = await diagnose(settings);
    if (settings.flags["json"] === true) sayJson(diagnosis);
    else say(diagnosisText(diagnosis));
    return diagnosis.checks.some(({ state }) => state === "failed") ? EXIT.failed : EXIT.good;
  },
};

async function diagnose(settings: Settings): Promise<Diagnosis> {
  const { config } = settings;
  const source = createMemorySource({
    platform: process.platform,
    upstreamIsLocal: isLoopback(upstreamAddress(config.upstream).host),
    replayPath: process.env["PLIMSOLL_MEMORY_SOURCE"],
    now: () => Date.now(),
    monotonic: () => performance.now(),
  });
  const tool = source.state === "on" ? findProgram("nvidia-smi", process.env) : undefined;
  const [port, upstream, sample, environment, upstreamAt] = await Promise.all([
    checkPort(config.listen, config.token !== null),
    checkUpstream(config.upstream, config.listen, process.env),
    readOnce(source, ({ gpus }) => tool === undefined || gpus.length > 0).catch(() => undefined),
    readOllamaEnvironment(process.platform, runProgram),
    clockOf(config.upstream),
  ]);
  const { problems, runners, state } = source;
  const started = settingsOfRunners(runners().map((runner) => runner.settings));
  const memoryFacts = {
    problems: problems(),
    runners: runners().length,
    inContainer: ["/.dockerenv", "/run/.containerenv"].some((file) => existsSync(file)),
  };
  await source.close();
  const record = checkRecord(settings.dataDir, readMigrations(MIGRATIONS_DIRECTORY).length);
  const gpu = checkGpu(sample, { tool, platform: process.platform });
  return {
    version: readVersion(),
    checks: [
      checkNode(
        { node: process.versions.node, napi: process.versions.napi },
        `${process.platform} ${process.arch}`,
      ),
      checkSettings({ ...settings, configFileExists: existsSync(settings.configFile) }),
      port,
      upstream.check,
      checkMemory(state, sample, memoryFacts),
      gpu,
      record.check,
      checkClock({ now: Date.now(), ...record.facts, upstreamAt, synchronised: clockIsSynchronised() }),
    ],
    ollama: {
      source: environment.source,
      settings: judgeOllamaSettings({
        variables: { ...started, ...environment.variables },
        complete: environment.complete,
        version: upstream.version,
        totalBytes: sample?.totalBytes,
        hasGpu: (sample?.gpus.length ?? 0) > 0,
      }),
    },
    unchangedClients: unchangedClients(process.platform),
  };
}

/** Ollama's `Date`, which has whole seconds. */
async function clockOf(upstream: string): Promise<number | undefined> {
  try {
    const answer = await fetch(`${upstream}/api/version`, {
      headers: { "user-agent": "plimsoll" },
      signal: AbortSignal.timeout(3000),
    });
    await answer.body?.cancel();
    return Date.parse(answer.headers.get("date") ?? "") || undefined;
  } catch {
    return undefined;
  }
}

function diagnosisText({ version, checks, ollama, unchangedClients: setUp }: Diagnosis): string {
  const width = Math.max(...ollama.settings.map(({ name }) => name.length));
  const settings = ollama.settings.map(({ name, value, effect, provenance, advice }) => {
    const set = value === undefined ? "" : `=${value}: `;
    const line = `  ${name.padEnd(width)}  ${set}${effect}${provenance === "assumed" ? " (assumed)" : ""}`;
    return `${line}\n${advice === undefined ? "" : `${" ".repeat(width + 4)}→ ${advice}\n`}`;
  });
  return `Plimsoll ${version}

${checksText(checks)}
Ollama's settings, read at its start (${ollama.source})
${settings.join("")}
If no client is to be changed: Ollama moves to ${setUp.ollama}, Plimsoll takes ${setUp.listen}
${setUp.commands.map((line) => `  ${line}\n`).join("")}`;
}
