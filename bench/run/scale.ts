import type { Scale } from "../cases/case.ts";

export const FULL: Scale = {
  rounds: 7,
  requestCount: 60,
  streamSeconds: 3,
  throughputMs: 2000,
  burstCount: 4,
  idleSeconds: 20,
};

export const QUICK: Scale = {
  rounds: 2,
  requestCount: 20,
  streamSeconds: 1,
  throughputMs: 600,
  burstCount: 2,
  idleSeconds: 5,
};

/** What is thrown away before the first round: code gets compiled, pools fill. */
export const WARM_UP: Scale = {
  rounds: 1,
  requestCount: 20,
  streamSeconds: 1,
  throughputMs: 800,
  burstCount: 1,
  idleSeconds: 0,
};
