/** Scripted clients that talk through a given address, and tell the same story over and over. */
import { createRandom } from "./random.ts";
import type { Clock } from "./clock.ts";
import { createHttpClient } from "./chats/httpClient.ts";
import { longChat } from "./chats/longChat.ts";
import {
  agents,
  editorChat,
  editorCompletions,
  embeddingBurst,
  poller,
  scriptChat,
  wrongModel,
} from "./chats/others.ts";
import type { Stage } from "./chats/stage.ts";
import type { Log } from "../types.ts";

export interface Chats {
  /** Cuts what is open and resolves when nobody talks any more. */
  stop(): Promise<void>;
}

/** Six minutes at four times speed. */
const ROUND_MS = 1_440_000;
const REST_AT_MS = 1_360_000;
const AFTER_FAILURE_MS = 15_000;

const PARTS = [
  longChat,
  scriptChat,
  editorChat,
  editorCompletions,
  embeddingBurst,
  agents,
  wrongModel,
  poller,
];

export function startChats(parts: { baseUrl: string; clock: Clock; seed?: number; log?: Log }): Chats {
  const { clock, log } = parts;
  const client = createHttpClient(parts.baseUrl);
  const stopping = new AbortController();
  const { signal } = stopping;

  /** A part that fails (the proxy restarts, say) begins again; the story goes on without it meanwhile. */
  const play = async (part: (stage: Stage) => Promise<void>, stage: Stage, endsAt: number): Promise<void> => {
    while (clock.monotonic() < endsAt - AFTER_FAILURE_MS) {
      try {
        await part(stage);
        return;
      } catch (error) {
        if (signal.aborted) return;
        log?.debug("a simulated client failed and begins again", { part: part.name, reason: String(error) });
        await clock.sleep(AFTER_FAILURE_MS, signal).catch(() => undefined);
      }
    }
  };
  const tell = async (): Promise<void> => {
    for (let round = 1; !signal.aborted; round += 1) {
      const endsAt = clock.monotonic() + ROUND_MS;
      const started = PARTS.map((part, index) => {
        const random = createRandom((parts.seed ?? 1) * 1009 + round * 31 + index);
        return play(part, { clock, client, random, signal, round, restAtMs: REST_AT_MS }, endsAt);
      });
      await Promise.all(started);
      await clock.sleep(Math.max(0, endsAt - clock.monotonic()), signal).catch(() => undefined);
    }
  };

  const told = tell();
  return {
    stop: async () => {
      stopping.abort();
      client.close();
      await told;
    },
  };
}
