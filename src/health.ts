import type { Health } from "./types.ts";

/** Joins the parts' own reports. `degraded` when something a user relies on is not working. */
export function healthOf(parts: Omit<Health, "status">): Health {
  const recording = parts.recorder.state === "on" || parts.recorder.state === "memory";
  const told = parts.channels?.every(({ state }) => state !== "failing") ?? true;
  const ok = parts.upstream.reachable && recording && parts.recorder.problem === undefined && told;
  return { status: ok ? "ok" : "degraded", ...parts };
}
