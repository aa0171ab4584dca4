/** `plimsoll demo`: everything simulated, in memory only: an Ollama, a 16 GiB machine and people who chat. */
import { createApp } from "../app.ts";
import { createDemo } from "../demo/demo.ts";
import { openStore } from "../store/client.ts";
import { listeningUrl } from "./address.ts";
import { PAGE_DIRECTORY, readVersion } from "./paths.ts";
import type { Command } from "./command.ts";
import { serveUntilStopped } from "./serveUntilStopped.ts";
import { stderrLog } from "./stderrLog.ts";
import { readSettings } from "./settings.ts";
import { remark } from "./terminal.ts";

/** The demo's clock runs this much faster than the wall's, so that a long chat is short. */
const SPEED = 4;

export const demo: Command = {
  summary: "the same, with everything simulated: no Ollama needed, nothing kept",
  usage: `plimsoll demo [--listen HOST:PORT]

A simulated Ollama on a simulated 16 GiB machine, with a few chats that grow, at ${SPEED} times the speed of life. One chat
outgrows its context after about two minutes: watch its waits and the runner's memory. Nothing is kept, nothing of this
machine is read, and the page says that it is simulated.`,
  async run(args) {
    const settings = readSettings(args);
    const log = stderrLog(settings.config);
    const simulated = createDemo({ speed: SPEED });
    const { url } = await simulated.upstream.listen();
    // What is simulated must not call anybody: alerts go to the log and to the page.
    const alerts = { ...settings.config.alerts, channels: [{ type: "log", minimumLevel: "warn" } as const] };
    const config = { ...settings.config, upstream: url, alerts };
    const clocks = { now: simulated.now, monotonic: simulated.monotonic };
    const store = await openStore({ dataDir: ":memory:", ...clocks, log, retention: config.retention });
    const app = await createApp({
      config,
      store,
      ...clocks,
      log,
      version: readVersion(),
      memorySource: () => simulated.machine,
      pageDirectory: PAGE_DIRECTORY,
      simulated: true,
    });
    app.server.once("listening", () => {
      const chats = simulated.startChats(listeningUrl(app.server, config.listen));
      app.server.once("close", () => void chats.stop());
    });
    remark("This is a demo: Ollama, the machine and the chats are simulated.\n");
    try {
      return await serveUntilStopped({
        app,
        store,
        settings: { ...settings, config, dataDir: ":memory:" },
        log,
      });
    } finally {
      // Listening, it would keep the process alive after a start that failed.
      await simulated.upstream.close();
    }
  },
};
