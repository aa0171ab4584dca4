/**
 * Asks Ollama what is loaded: every 2 s while something runs, every 10 s otherwise, and at once when told that
 * something has changed. Never in the request path, never loading anything, and each call has a time limit because
 * `/api/ps` can block while a runner is being stopped.
 */
import { OllamaError, type OllamaClient, type PsModel } from "../ollama/client.ts";
import type { UpstreamHealth } from "../types.ts";

export interface Poller {
  start(): void;
  stop(): void;
  /** Ask again now, or as soon as the question under way is answered. */
  hurry(): void;
  health(): UpstreamHealth;
}

const BUSY_MS = 2000;
const IDLE_MS = 10_000;
/** How often the version is asked again: an Ollama can be upgraded under us. */
const VERSION_MS = 60_000;

export function createPoller(parts: {
  client: OllamaClient;
  url: string;
  isBusy: () => boolean;
  monotonic: () => number;
  onModels(models: PsModel[]): void;
  onHealth(health: UpstreamHealth): void;
}): Poller {
  const { client, monotonic } = parts;
  let health: UpstreamHealth = { url: parts.url, reachable: false };
  let timer: NodeJS.Timeout | undefined;
  let asking = false;
  let again = false;
  let stopped = true;
  let versionAskedAt: number | undefined;

  const setHealth = (next: UpstreamHealth): void => {
    const changed =
      next.reachable !== health.reachable ||
      next.version !== health.version ||
      next.problem !== health.problem;
    health = next;
    if (changed) {
      parts.onHealth(health);
    }
  };

  const ask = async (): Promise<void> => {
    const versionDue = versionAskedAt === undefined || monotonic() - versionAskedAt >= VERSION_MS;
    if (versionDue || !health.reachable) {
      const version = await client.version();
      versionAskedAt = monotonic();
      setHealth({ url: parts.url, reachable: true, version });
    }
    parts.onModels(await client.ps());
  };

  const poll = async (): Promise<void> => {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    clearTimeout(timer);
    try {
      await ask();
    } catch (error) {
      versionAskedAt = undefined;
      const fix = error instanceof OllamaError ? error.fix : undefined;
      setHealth({
        url: parts.url,
        reachable: false,
        problem: (error as Error).message,
        ...(fix !== undefined && { fix: `${fix} Plimsoll goes on asking.` }),
      });
    }
    asking = false;
    if (!stopped) {
      const delayMs = again ? 0 : parts.isBusy() ? BUSY_MS : IDLE_MS;
      again = false;
      timer = setTimeout(() => void poll(), delayMs).unref();
    }
  };

  return {
    start() {
      stopped = false;
      void poll();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
    hurry() {
      if (!stopped) {
        void poll();
      }
    },
    health: () => health,
  };
}
