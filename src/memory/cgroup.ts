/** Where a process stands among control groups, v1 and v2, and what their files say. */
import { numberAfter } from "./fields.ts";

/** Where a process stands in the two kinds of group trees, as paths from each tree's root. */
export interface GroupMembership {
  /** Version 2, the `0::` line. */
  unified?: string;
  /** Version 1, the line of the memory controller. */
  memory?: string;
}

/** Reads `/proc/PID/cgroup` (cgroups(7)): lines `id:controllers:path`. */
export function parseGroupMembership(text: string): GroupMembership {
  const membership: GroupMembership = {};
  for (const line of text.split("\n")) {
    const [id, controllers, ...rest] = line.split(":");
    const path = rest.join(":");
    if (!path.startsWith("/")) continue;
    if (id === "0" && controllers === "") membership.unified = path;
    else if (controllers?.split(",").includes("memory")) membership.memory = path;
  }
  return membership;
}

/** The group itself and everything above it: limits are hierarchical. `/a/b` gives `/a/b`, `/a`, `/`. */
export function groupAndAncestors(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "");
  return [...names.map((_, index) => `/${names.slice(0, names.length - index).join("/")}`), "/"];
}

/** A limit file: bytes, or `undefined` for `max` and for anything that is no number. */
export function parseLimit(text: string | undefined): number | undefined {
  return text === undefined ? undefined : numberAfter(text, "");
}

/**
 * What a group holds that cannot be given back without swapping or thrashing, from its `memory.stat`.
 * Its usage counter would not do: page cache fills any group that has read a model file up to its limit, without harm.
 * `hotMappedBytes` of weights count as far as the group has mapped files at all: they are charged to whichever group
 * read them first, which may be another one.
 */
export function unreclaimableBytes(stat: string, version: 1 | 2, hotMappedBytes: number): number | undefined {
  const programs = version === 2 ? programBytes2(stat) : programBytes1(stat);
  if (programs === undefined) return undefined;
  const mapped = numberAfter(stat, version === 2 ? "file_mapped " : "total_mapped_file ") ?? 0;
  return programs + Math.min(mapped, hotMappedBytes);
}

/** `kernel` holds page tables, stacks, slab and the zswap pool, but only since Linux 5.18. */
function programBytes2(stat: string): number | undefined {
  const anonymous = numberAfter(stat, "anon ");
  if (anonymous === undefined) return undefined;
  const value = (label: string): number => numberAfter(stat, label) ?? 0;
  const kernel =
    numberAfter(stat, "kernel ") ??
    value("kernel_stack ") + value("pagetables ") + value("percpu ") + value("slab ");
  return anonymous + value("shmem ") + Math.max(0, kernel - value("slab_reclaimable "));
}

/** The `total_` lines include the groups below, as the limit does. Kernel memory is in no line of version 1. */
function programBytes1(stat: string): number | undefined {
  const anonymous = numberAfter(stat, "total_rss ");
  return anonymous === undefined ? undefined : anonymous + (numberAfter(stat, "total_shmem ") ?? 0);
}
