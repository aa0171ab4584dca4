/** Is everything working? */
import type { Health, Log } from "./types.ts";

/** Joins the parts' own reports. `degraded` when something a user relies on is not working. */
export function healthOf(parts: Omit<Health, "status">): Health {
  const recording = parts.recorder.state === "on" || parts.recorder.state === "memory";
  const told = parts.channels?.every(({ state }) => state !== "failing") ?? true;
  const ok = parts.upstream.reachable && recording && parts.recorder.problem === undefined && told;
  return { status: ok ? "ok" : "degraded", ...parts };
}

/** Says whether Ollama answers; called when that changes. */
export function reportUpstream(log: Log, upstream: Health["upstream"]): void {
  if (upstream.reachable) {
    log.info(`Ollama ${upstream.version ?? "of unknown version"} answers at ${upstream.url}`);
  } else {
    log.warn(
      `${upstream.problem ?? `Ollama does not answer at ${upstream.url}`}; requests get 502 until it does`,
      {
        fix: upstream.fix,
      },
    );
  }
}
