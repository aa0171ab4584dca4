import type { Scale } from "../cases/case.ts";

export const FULL: Scale = {
  rounds: 7,
  requestCount: 150,
  streamSeconds: 3,
  throughputMs: 2000,
  burstCount: 4,
  idleSeconds: 20,
};

export const QUICK: Scale = {
  rounds: 2,
  requestCount: 40,
  streamSeconds: 0.7,
  throughputMs: 600,
  burstCount: 1,
  idleSeconds: 5,
};

/** What is thrown away before the first round: code gets compiled, pools fill. */
export function warmUp(scale: Scale): Scale {
  return {
    ...scale,
    streamSeconds: scale.streamSeconds / 2,
    throughputMs: scale.throughputMs / 2,
    burstCount: 1,
  };
}
