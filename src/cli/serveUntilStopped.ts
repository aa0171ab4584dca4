/** A program that listens: says where, and goes on until it is told to stop. */
import type { App } from "../appParts.ts";
import { ConfigError, isLoopback, parseListen, type Config } from "../config.ts";
import type { Store } from "../store/api.ts";
import type { Log } from "../types.ts";
import { listeningUrl } from "./address.ts";
import { EXIT } from "./exit.ts";
import { readVersion } from "./paths.ts";
import type { Settings } from "./settings.ts";
import { untilToldToStop } from "./signals.ts";
import { remark } from "./terminal.ts";

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

/** It can be reached from the network. */
export function isOpen({ listen }: Config): boolean {
  const { host = "127.0.0.1" } = parseListen(listen) ?? {};
  return !isLoopback(host);
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
  const url = listeningUrl(app.server, config.listen);
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
  if (isOpen(config)) {
    lines.push(
      `  open       forwarded paths are open to the network, without a token, for Host ${config.allowedHosts.join(", ")}`,
    );
  }
  remark(`${lines.join("\n")}\n`);
}
