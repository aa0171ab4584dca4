import { isIPv6 } from "node:net";

const windowMs = 60_000;
const failuresAllowed = 10;
/** Of all addresses that one machine can give itself in its own IPv6 network. */
const failuresAllowedInNetwork = 100;
const placesKept = 1024;

/** Counts wrong tokens per address. */
export interface Attempts {
  /** Whole seconds until this address may try again; absent when it may try now. */
  waitSeconds(address: string): number | undefined;
  failed(address: string): void;
}

/**
 * Allows ten wrong tokens a minute from one address, so that a short token cannot be found by trying, and a hundred from one IPv6 /64,
 * of which every machine in it has 2⁶⁴ addresses. At most 1024 of both are remembered: beyond that the one that failed longest ago is
 * forgotten.
 */
export function createAttempts(now: () => number): Attempts {
  const failures = new Map<string, number[]>();

  const recent = (place: string): number[] =>
    (failures.get(place) ?? []).filter((failedAt) => failedAt > now() - windowMs);

  return {
    waitSeconds(address) {
      const waits = placesOf(address).flatMap(({ place, allowed }) => {
        const times = recent(place);
        const oldest = times[0];
        return oldest === undefined || times.length < allowed ? [] : [oldest + windowMs - now()];
      });
      return waits.length === 0 ? undefined : Math.max(1, Math.ceil(Math.max(...waits) / 1000));
    },
    failed(address) {
      for (const { place, allowed } of placesOf(address)) {
        const times = [...recent(place), now()].slice(-allowed);
        // Deleting first moves the place to the young end of the map's order.
        failures.delete(place);
        failures.set(place, times);
        const eldest = failures.keys().next().value;
        if (failures.size > placesKept && eldest !== undefined) failures.delete(eldest);
      }
    },
  };
}

function placesOf(address: string): { place: string; allowed: number }[] {
  const own = { place: address, allowed: failuresAllowed };
  // `::ffff:10.0.0.7` is an IPv4 address on a socket that takes both: all of those are in one network.
  return isIPv6(address) && !address.includes(".")
    ? [own, { place: networkOf(address), allowed: failuresAllowedInNetwork }]
    : [own];
}

/** The first 64 bits. */
function networkOf(address: string): string {
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const groups = head === "" ? [] : head.split(":");
  const zeros = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
  const all = [...groups, ...Array.from({ length: zeros }, () => "0"), ...(tail ?? "").split(":")];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
