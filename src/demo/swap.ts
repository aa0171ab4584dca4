/**
 * The swap of the scripted machine. What is missing goes out at the speed of a disk, the coldest first: copies in a
 * runner's prompt cache, and what other programs have not touched. When there is room again some comes back, slowly; the
 * rest stays out, as it does on real machines.
 */
export interface Swap {
  step(about: {
    seconds: number;
    /** Short of the floor by this much if nothing were swapped; negative is room. */
    missingBytes: number;
    /** By process: what of it could go. */
    coldBytes: ReadonlyMap<number, number>;
  }): void;
  usedBytes(): number;
  othersBytes(): number;
  runnerBytes(pid: number): number;
  outBytesPerSecond(): number;
  inBytesPerSecond(): number;
}

const MEBIBYTE = 2 ** 20;
const OUT_BYTES_PER_SECOND = 45 * MEBIBYTE;
const IN_BYTES_PER_SECOND = 25 * MEBIBYTE;
/** Of what goes out, while there are cold pages in runners. */
const RUNNERS_SHARE = 0.6;
const OTHERS_MOST_BYTES = 1400 * MEBIBYTE;
/** While memory is short, pages go out and come back all the time. */
const CHURN_BYTES_PER_SECOND = 4 * MEBIBYTE;
/** Below this nothing comes back: nobody asks for it. */
const PARKED_BYTES = 180 * MEBIBYTE;

export function createSwap(parts: { capacityBytes: number }): Swap {
  const byRunner = new Map<number, number>();
  let others = 0;
  let outPerSecond = 0;
  let inPerSecond = 0;

  const used = (): number => others + [...byRunner.values()].reduce((sum, bytes) => sum + bytes, 0);
  const push = (bytes: number, coldBytes: ReadonlyMap<number, number>): number => {
    let runnersPart = bytes * RUNNERS_SHARE;
    let pushed = 0;
    for (const [pid, cold] of coldBytes) {
      const there = byRunner.get(pid) ?? 0;
      const more = Math.min(runnersPart, Math.max(0, cold - there));
      byRunner.set(pid, there + more);
      runnersPart -= more;
      pushed += more;
    }
    const toOthers = Math.min(bytes - pushed, Math.max(0, OTHERS_MOST_BYTES - others));
    others += toOthers;
    return pushed + toOthers;
  };

  return {
    step: ({ seconds, missingBytes, coldBytes }) => {
      for (const pid of byRunner.keys()) if (!coldBytes.has(pid)) byRunner.delete(pid);
      if (seconds === 0) return;
      const wanted = Math.min(missingBytes, parts.capacityBytes) - used();
      const pushed = wanted > 0 ? push(Math.min(wanted, OUT_BYTES_PER_SECOND * seconds), coldBytes) : 0;
      const comeBack = Math.min(-wanted, others - PARKED_BYTES, IN_BYTES_PER_SECOND * seconds);
      const returned = wanted < 0 ? Math.max(0, comeBack) : 0;
      others -= returned;
      const churn = missingBytes > 0 && used() > 0 ? CHURN_BYTES_PER_SECOND : 0;
      outPerSecond = pushed / seconds + churn;
      inPerSecond = returned / seconds + churn;
    },
    usedBytes: used,
    othersBytes: () => others,
    runnerBytes: (pid) => byRunner.get(pid) ?? 0,
    outBytesPerSecond: () => outPerSecond,
    inBytesPerSecond: () => inPerSecond,
  };
}
