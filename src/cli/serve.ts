/** `plimsoll serve`: the proxy, until it is told to stop. */
import { thisMachinesPrograms } from "../alerts/channels/programs.ts";
import { createApp } from "../app.ts";
import type { App } from "../appParts.ts";
import { ConfigError, isLoopback, parseListen, type Config } from "../config.ts";
import { createLog } from "../log.ts";
import { readMachine } from "../memory/machine.ts";
import { createMemorySource } from "../memory/source.ts";
import { upstreamAddress } from "../proxy/upstream.ts";
import { openStore } from "../store/client.ts";
import type { Store } from "../store/api.ts";
import type { Log } from "../types.ts";
import { EXIT } from "./exit.ts";
import { SETTINGS_HELP } from "./help.ts";
import { PAGE_DIRECTORY, readVersion } from "./paths.ts";
import type { Command } from "./run.ts";
import { readSettings, type Settings } from "./settings.ts";
import { untilToldToStop } from "./signals.ts";
import { remark } from "./terminal.ts";

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

/** Listens, says where, and waits for the end. */
export async function serveUntilStopped(parts: {
  app: App;
  store: Store;
  settings: Settings;
  log: Log;
}): Promise<number> {
  const { app, store, settings, log } = parts;
  const { config } = settings;
  // Whatever goes wrong in a corner nobody thought of must not cut the chats in progress.
  process.on("uncaughtException", (error) => {
    log.error("an unexpected error; forwarding goes on", { error: error.stack ?? String(error) });
  });
  try {
    const { upstreamIsOurselves } = await app.listen();
    if (upstreamIsOurselves) {
      throw new ConfigError(
        `upstream: ${config.upstream} is Plimsoll itself, so every request would go round for ever. Point --upstream at Ollama (http://127.0.0.1:11434 unless you moved it).`,
      );
    }
  } catch (error) {
    await app.close(0);
    await store.close();
    throw explainListening(error as NodeJS.ErrnoException, config.listen);
  }
  announce(app, settings);
  const signal = await untilToldToStop(
    async () => {
      const running = app.snapshot().exchanges.length;
      const answers =
        running === 1 ? "the answer in progress gets" : `the ${running} answers in progress get`;
      log.info(running === 0 ? "stopping" : `stopping: ${answers} 30 s; Ctrl-C again cuts them`);
      await app.close(30_000);
      await store.close();
    },
    () => void app.close(0),
  );
  return signal === "SIGINT" ? EXIT.interrupted : EXIT.good;
}

function requireToken(config: Config): void {
  const listen = parseListen(config.listen);
  if (listen !== undefined && !isLoopback(listen.host) && config.token === null) {
    throw new ConfigError(
      `listen: ${config.listen} can be reached from the network, so /plimsoll needs a token: set --token or PLIMSOLL_TOKEN (8 characters or more), or listen on 127.0.0.1.`,
    );
  }
}

export function stderrLog(config: Config): Log {
  return createLog({
    level: config.logLevel,
    stream: process.stderr,
    colours: process.stderr.isTTY && process.stderr.hasColors(),
    now: () => Date.now(),
  });
}

function explainListening(error: NodeJS.ErrnoException, listen: string): Error {
  switch (error.code) {
    case "EADDRINUSE":
      return new Error(
        `${listen} is taken by another program (is Plimsoll, or an Ollama that was moved, running there?). Choose another with --listen HOST:PORT.`,
      );
    case "EACCES":
      return new Error(`${listen} may not be used by this user. Choose a port above 1023 with --listen.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new Error(`${listen} is no address of this machine. Choose another with --listen HOST:PORT.`);
    default:
      return error;
  }
}

const GUARD_WORDS: Record<Exclude<Config["guard"]["mode"], "off">, string> = {
  observe: "notes loads that would make this machine swap, and changes nothing",
  warn: "warns of loads that would make this machine swap, and changes nothing",
  refuse: "refuses loads that would make this machine swap, with 503",
  cap: "lowers an explicit num_ctx whose load would make this machine swap",
};

function announce(app: App, { config, dataDir }: Settings): void {
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { host = "127.0.0.1" } = parseListen(config.listen) ?? {};
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const { recorder } = app.snapshot().health;
  const lines = [
    `Plimsoll ${readVersion()}`,
    `  clients    ${url}  instead of ${config.upstream}`,
    `  page       ${url}/plimsoll/`,
    `  record     ${recorder.problem ?? (dataDir === ":memory:" ? "in memory only" : dataDir)}`,
  ];
  const names = config.alerts.channels.map(({ name, type }) => name ?? type);
  lines.push(`  alerts     the page${names.map((name) => `, ${name}`).join("")}`);
  if (config.guard.mode !== "off") {
    lines.push(`  guard      ${GUARD_WORDS[config.guard.mode]}`);
  }
  if (!isLoopback(host)) {
    lines.push(
      `  open       forwarded paths are open to the network, without a token, for Host ${config.allowedHosts.join(", ")}`,
    );
  }
  remark(`${lines.join("\n")}\n`);
}
