/** The end: running answers get their time, each exchange its last word, and then everything is let go. */
import type { Server } from "node:http";
import type { Exchanges } from "./proxy/exchange.ts";

const LAST_WORDS_MS = 2000;

/** `close` may be called again to cut at once what is left. */
export function createClose(parts: {
  server: Server;
  exchanges: Pick<Exchanges, "live" | "stopAll">;
  monotonic: () => number;
  /** Ends everything else, once no exchange is left. */
  letGo: () => Promise<void>;
}): (graceMs: number) => Promise<void> {
  const { server, exchanges, monotonic } = parts;
  let closing: Promise<void> | undefined;

  const finish = async (graceMs: number): Promise<void> => {
    server.close();
    const deadline = monotonic() + graceMs;
    while (exchanges.live().length > 0 && monotonic() < deadline) {
      server.closeIdleConnections();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    exchanges.stopAll();
    // Each still has to be told of, so that its row says how it ended.
    while (exchanges.live().length > 0 && monotonic() < deadline + LAST_WORDS_MS) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await parts.letGo();
    server.closeAllConnections();
  };

  return (graceMs) => {
    if (closing !== undefined) {
      exchanges.stopAll();
    }
    closing ??= finish(graceMs);
    return closing;
  };
}
