/** `plimsoll serve`: the proxy, until it is told to stop. */
import { thisMachinesPrograms } from "../alerts/channels/programs.ts";
import { createApp } from "../app.ts";
import { ConfigError, isLoopback, type Config } from "../config.ts";
import { readMachine } from "../memory/machine.ts";
import { createMemorySource } from "../memory/source.ts";
import { upstreamAddress } from "../proxy/upstream.ts";
import { openStore } from "../store/client.ts";
import { SETTINGS_HELP } from "./help.ts";
import { PAGE_DIRECTORY, readVersion } from "./paths.ts";
import type { Command } from "./command.ts";
import { isOpen, serveUntilStopped } from "./serveUntilStopped.ts";
import { readSettings } from "./settings.ts";
import { stderrLog } from "./stderrLog.ts";

export const serve: Command = {
  summary: "forward, record and show (what happens when no command is named)",
  usage: `plimsoll [serve] [options]

Listens where clients are pointed at, forwards every call to Ollama untouched, and records what each one cost.
Flags win over the environment, the environment over the settings file, the file over the defaults.
${SETTINGS_HELP}
config.example.json lists every setting. Stop with Ctrl-C: running answers get 30 s to finish, a second one cuts them.`,
  async run(args) {
    const settings = readSettings(args);
    requireToken(settings.config);
    const log = stderrLog(settings.config);
    settings.warnings.forEach((warning) => log.warn(warning));
    const clocks = { now: () => Date.now(), monotonic: () => performance.now() };
    const store = await openStore({
      dataDir: settings.dataDir,
      ...clocks,
      log,
      retention: settings.config.retention,
    });
    const app = await createApp({
      config: settings.config,
      store,
      ...clocks,
      log,
      version: readVersion(),
      memorySource: ({ weightsInUse }) =>
        createMemorySource({
          platform: process.platform,
          upstreamIsLocal: isLoopback(upstreamAddress(settings.config.upstream).host),
          replayPath: process.env["PLIMSOLL_MEMORY_SOURCE"],
          weightsInUse,
          neverBlock: true,
          ...clocks,
        }),
      readMachine,
      programs: thisMachinesPrograms(),
      pageDirectory: PAGE_DIRECTORY,
      cpuTimeMs: () => {
        const { user, system } = process.threadCpuUsage();
        return (user + system) / 1000;
      },
    });
    return serveUntilStopped({ app, store, settings, log });
  },
};

function requireToken(config: Config): void {
  if (isOpen(config) && config.token === null) {
    throw new ConfigError(
      `listen: ${config.listen} can be reached from the network, so /plimsoll needs a token: set --token or PLIMSOLL_TOKEN (8 characters or more), or listen on 127.0.0.1.`,
    );
  }
}
