/** What Linux tells about processes. Paths are below a root that tests can choose. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Proc {
  /** These processes and all that descend from them, of those that run now. */
  withDescendants(pids: readonly number[]): number[];
  /** Processor time used so far, all threads together, including children that have ended. */
  cpuMs(pids: readonly number[]): number;
  rssBytes(pids: readonly number[]): number;
  /** Processor time that programs used on the whole machine so far, and what a hypervisor took away. */
  machineCpuMs(): number;
}

/** `USER_HZ`: the unit of times under /proc, the same on every architecture that Node runs on. */
const MS_PER_TICK = 1000 / 100;

export function createProc(root = "/proc"): Proc {
  const read = (...path: string[]): string | undefined => {
    try {
      return readFileSync(join(root, ...path), "latin1");
    } catch {
      return undefined;
    }
  };
  /** Fields after the name, which may itself hold spaces and brackets. Index 0 is the state. */
  const statOf = (pid: number): string[] | undefined => {
    const text = read(String(pid), "stat");
    return text?.slice(text.lastIndexOf(")") + 2).split(" ");
  };

  return {
    withDescendants(pids) {
      const known = new Set(pids);
      const parents = readdirSync(root)
        .filter((name) => /^\d+$/.test(name))
        .map((name) => ({ pid: Number(name), parent: Number(statOf(Number(name))?.[1]) }));
      for (let before = -1; before !== known.size;) {
        before = known.size;
        parents.filter(({ parent }) => known.has(parent)).forEach(({ pid }) => known.add(pid));
      }
      return [...known];
    },
    cpuMs(pids) {
      const ticks = pids.flatMap((pid) => statOf(pid)?.slice(11, 15) ?? []).map(Number);
      return ticks.reduce((sum, value) => sum + value, 0) * MS_PER_TICK;
    },
    rssBytes(pids) {
      const kilobytes = pids.map((pid) =>
        Number(/^VmRSS:\s*(\d+)/m.exec(read(String(pid), "status") ?? "")?.[1] ?? 0),
      );
      return kilobytes.reduce((sum, value) => sum + value, 0) * 1024;
    },
    machineCpuMs() {
      // Interrupts are left out: those of our own traffic count there, not in our processes.
      const [user = 0, nice = 0, system = 0, , , , , steal = 0] = (read("stat") ?? "")
        .split("\n", 1)
        .join("")
        .trim()
        .split(/\s+/)
        .slice(1)
        .map(Number);
      return (user + nice + system + steal) * MS_PER_TICK;
    },
  };
}
