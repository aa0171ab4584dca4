const windowMs = 60_000;
const failuresAllowed = 10;
const addressesKept = 1024;

/** Counts wrong tokens per address. */
export interface Attempts {
  /** Whole seconds until this address may try again; absent when it may try now. */
  waitSeconds(address: string): number | undefined;
  failed(address: string): void;
}

/**
 * Allows ten wrong tokens a minute from one address, so that a short token cannot be found by trying. At most 1024 addresses are
 * remembered: beyond that the one that failed longest ago is forgotten.
 */
export function createAttempts(now: () => number): Attempts {
  const failures = new Map<string, number[]>();

  const recent = (address: string): number[] =>
    (failures.get(address) ?? []).filter((failedAt) => failedAt > now() - windowMs);

  return {
    waitSeconds(address) {
      const times = recent(address);
      const oldest = times[0];
      if (oldest === undefined || times.length < failuresAllowed) return undefined;
      return Math.max(1, Math.ceil((oldest + windowMs - now()) / 1000));
    },
    failed(address) {
      const times = [...recent(address), now()].slice(-failuresAllowed);
      // Deleting first moves the address to the young end of the map's order.
      failures.delete(address);
      failures.set(address, times);
      const eldest = failures.keys().next().value;
      if (failures.size > addressesKept && eldest !== undefined) failures.delete(eldest);
    },
  };
}
