/** How often models were loaded again since the start, and how long that took, by cause. */
import type { Load, LoadCause } from "../types.ts";

export interface ReloadCount {
  cause: LoadCause;
  count: number;
  seconds: number;
}

export interface ReloadCounts {
  /** Called whenever something is learned of a reload; each is counted once, when it is over. */
  explained(load: Load): void;
  list(): ReloadCount[];
}

const REMEMBERED = 500;

export function createReloadCounts(): ReloadCounts {
  const counts = new Map<LoadCause, ReloadCount>();
  const counted = new Map<string, { cause: LoadCause; timed: boolean }>();
  return {
    explained({ id, cause, endedAt, loadMs }) {
      if (endedAt === undefined) {
        return;
      }
      // A counter that has been read must not go down, so the cause that was counted stays.
      const known = counted.get(id) ?? { cause, timed: false };
      const count = counts.get(known.cause) ?? { cause: known.cause, count: 0, seconds: 0 };
      counts.set(known.cause, count);
      if (!counted.has(id)) {
        counted.set(id, known);
        count.count += 1;
        if (counted.size > REMEMBERED) {
          counted.delete(counted.keys().next().value ?? "");
        }
      }
      if (loadMs !== undefined && !known.timed) {
        known.timed = true;
        count.seconds += loadMs / 1000;
      }
    },
    list: () => [...counts.values()],
  };
}
