/** Which exchanges had the machine to themselves: only their times are the model's own. */

export interface Company {
  started(id: string): void;
  /** Whether no other exchange was in progress at any time of this one. */
  ended(id: string): boolean;
}

/** Counts every exchange alike, whatever its model: they share one machine. */
export function createCompany(): Company {
  const live = new Set<string>();
  const accompanied = new Set<string>();
  return {
    started(id) {
      live.add(id);
      if (live.size > 1) {
        for (const other of live) {
          accompanied.add(other);
        }
      }
    },
    ended(id) {
      live.delete(id);
      return !accompanied.delete(id);
    },
  };
}
