/** A door with room for one: whoever comes later waits in line, and may give up. */

export interface Queue {
  /** Resolves once inside, with whether it had to wait. Rejects if the signal fires first. */
  enter(signal: AbortSignal): Promise<boolean>;
  leave(): void;
  waiting(): number;
}

export function createQueue(): Queue {
  let taken = false;
  const line: (() => void)[] = [];
  return {
    enter: async (signal) => {
      signal.throwIfAborted();
      if (!taken) {
        taken = true;
        return false;
      }
      await new Promise<void>((resolve, reject) => {
        const go = (): void => {
          signal.removeEventListener("abort", giveUp);
          resolve();
        };
        const giveUp = (): void => {
          line.splice(line.indexOf(go), 1);
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", giveUp, { once: true });
        line.push(go);
      });
      return true;
    },
    leave: () => {
      const next = line.shift();
      if (next === undefined) taken = false;
      else next();
    },
    waiting: () => line.length,
  };
}
