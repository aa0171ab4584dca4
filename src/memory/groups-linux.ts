import { readFileSync } from "node:fs";
import { join } from "node:path";

import {
  groupAndAncestors,
  parseGroupMembership,
  parseLimit,
  unreclaimableBytes,
  type GroupMembership,
} from "./cgroup.ts";
import type { GroupUse } from "./headroom.ts";
import { keepFile, type KeptFile } from "./keptFile.ts";

/** Follows the memory groups with a limit that Ollama's processes live in. */
export interface GroupWatch {
  /** Finds the groups of these processes anew. Costs some file opens: for every scan, not for every sample. */
  follow(pids: readonly number[], totalBytes: number): void;
  /** Every limit that applies now, with what is used of it. */
  read(hotMappedBytes: number): GroupUse[];
  problems(): string[];
  close(): void;
}

interface Tree {
  version: 1 | 2;
  root: string;
  membership: keyof GroupMembership;
  limitFiles: readonly string[];
}

interface LimitedGroup {
  version: 1 | 2;
  limits: KeptFile[];
  stat: KeptFile;
}

/** Swapping starts at `memory.high` already: the group is throttled and reclaimed there. */
const TREES: readonly Tree[] = [
  { version: 2, root: "fs/cgroup", membership: "unified", limitFiles: ["memory.max", "memory.high"] },
  { version: 2, root: "fs/cgroup/unified", membership: "unified", limitFiles: ["memory.max", "memory.high"] },
  { version: 1, root: "fs/cgroup/memory", membership: "memory", limitFiles: ["memory.limit_in_bytes"] },
];

/** Follows nothing yet; `roots` are the mount points of `/proc` and `/sys`. */
export function createGroupWatch(roots: { proc: string; sys: string }): GroupWatch {
  const groups = new Map<string, LimitedGroup>();
  let totalBytes = 0;
  let hidden = false;

  const limitOf = (group: LimitedGroup): number | undefined => {
    const limits = group.limits.map((file) => parseLimit(file.read())).filter(isLimit);
    return limits.length === 0 ? undefined : Math.min(...limits);
  };
  // "No limit" is a huge number in version 1, and a limit above the machine's memory never bites.
  const isLimit = (bytes: number | undefined): bytes is number => bytes !== undefined && bytes < totalBytes;

  const open = (tree: Tree, directory: string): LimitedGroup | undefined => {
    const group: LimitedGroup = {
      version: tree.version,
      limits: tree.limitFiles.map((name) => keepFile(join(directory, name))),
      stat: keepFile(join(directory, "memory.stat")),
    };
    if (limitOf(group) !== undefined) return group;
    closeGroup(group);
    return undefined;
  };

  return {
    follow: (pids, total) => {
      totalBytes = total;
      const directories = new Map<string, Tree>();
      hidden = false;
      for (const pid of pids) {
        const membership = membershipOf(roots.proc, pid);
        for (const tree of TREES) {
          const path = membership[tree.membership];
          // A group outside our own namespace shows as `/../…`: it is there, and cannot be opened from here.
          if (path?.startsWith("/..")) hidden = true;
          else if (path !== undefined) {
            for (const each of groupAndAncestors(path))
              directories.set(join(roots.sys, tree.root, each), tree);
          }
        }
      }
      for (const [directory, group] of groups) {
        if (directories.has(directory)) continue;
        closeGroup(group);
        groups.delete(directory);
      }
      for (const [directory, tree] of directories) {
        const group = groups.has(directory) ? undefined : open(tree, directory);
        if (group !== undefined) groups.set(directory, group);
      }
    },
    read: (hotMappedBytes) => {
      const uses: GroupUse[] = [];
      for (const group of groups.values()) {
        const limitBytes = limitOf(group);
        const stat = group.stat.read();
        const usedBytes =
          stat === undefined ? undefined : unreclaimableBytes(stat, group.version, hotMappedBytes);
        if (limitBytes !== undefined && usedBytes !== undefined) uses.push({ limitBytes, usedBytes });
      }
      return uses;
    },
    problems: () =>
      hidden
        ? [
            "Ollama runs in a memory group outside this container: a limit on it cannot be seen from here; run Plimsoll on the host to see it",
          ]
        : [],
    close: () => {
      for (const group of groups.values()) closeGroup(group);
      groups.clear();
    },
  };
}

function membershipOf(procRoot: string, pid: number): GroupMembership {
  try {
    return parseGroupMembership(readFileSync(join(procRoot, String(pid), "cgroup"), "latin1"));
  } catch {
    return {}; // It ended between the scan and now: the next scan will not name it.
  }
}

function closeGroup(group: LimitedGroup): void {
  for (const file of group.limits) file.close();
  group.stat.close();
}
