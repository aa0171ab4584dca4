import { expect, it } from "vitest";

import {
  groupAndAncestors,
  parseGroupMembership,
  parseLimit,
  unreclaimableBytes,
} from "../../src/memory/cgroup.ts";
import { hostFloorBytes, linuxHeadroom } from "../../src/memory/headroom.ts";
import { fixture } from "./fixtures.ts";

const MIB = 1024 * 1024;

it.each([
  ["version 2", "0::/system.slice/ollama.service\n", { unified: "/system.slice/ollama.service" }],
  ["version 1", "9:name=systemd:/\n4:memory:/docker/ab12\n1:cpu,cpuacct:/\n", { memory: "/docker/ab12" }],
  ["a hybrid", "4:memory:/a\n0::/b\n", { memory: "/a", unified: "/b" }],
  ["a path with colons", "0::/user.slice/app:ollama\n", { unified: "/user.slice/app:ollama" }],
  ["a shared controller line", "4:hugetlb,memory:/x\n", { memory: "/x" }],
  ["nothing", "", {}],
])("finds the groups of a process under %s", (_, text, expected) => {
  expect(parseGroupMembership(text)).toEqual(expected);
});

it.each([
  ["/", ["/"]],
  ["/a", ["/a", "/"]],
  ["/a/b.slice/c", ["/a/b.slice/c", "/a/b.slice", "/a", "/"]],
])("walks from %s up to the root", (path, expected) => {
  expect(groupAndAncestors(path)).toEqual(expected);
});

it.each([
  ["max\n", undefined],
  ["629145600\n", 629145600],
  [undefined, undefined],
])("reads the limit %j as %j", (text, expected) => {
  expect(parseLimit(text)).toBe(expected);
});

it("counts programs, shared memory and what the kernel cannot give back, not page cache", () => {
  const stat = fixture("memory/group-memory-stat.txt");
  expect(unreclaimableBytes(stat, 2, 0)).toBe(536870912 + 8388608 + (20971520 - 8388608));
});

it("adds the kernel's parts up where an older kernel has no sum of them", () => {
  const stat = "anon 1000\nshmem 10\nkernel_stack 5\npagetables 4\npercpu 3\nslab 20\nslab_reclaimable 12\n";
  expect(unreclaimableBytes(stat, 2, 0)).toBe(1000 + 10 + 5 + 4 + 3 + 20 - 12);
});

it("counts mapped weights in use, as far as this group was charged for mapped files", () => {
  const stat = fixture("memory/group-memory-stat.txt");
  const without = unreclaimableBytes(stat, 2, 0) ?? 0;
  expect((unreclaimableBytes(stat, 2, 50 * MIB) ?? 0) - without).toBe(50 * MIB);
  expect((unreclaimableBytes(stat, 2, 5000 * MIB) ?? 0) - without).toBe(73400320);
});

it("takes the lines of version 1 that include the groups below", () => {
  const stat = "rss 1\nshmem 1\nmapped_file 1\ntotal_rss 1000\ntotal_shmem 20\ntotal_mapped_file 300\n";
  expect(unreclaimableBytes(stat, 1, 100)).toBe(1120);
});

it("is unknown when the group does not say", () => {
  expect(unreclaimableBytes("file 12\n", 2, 0)).toBeUndefined();
  expect(unreclaimableBytes("", 1, 0)).toBeUndefined();
});

interface GroupRow {
  tMs: number;
  limitBytes: number;
  usageBytes: number;
  totalRss: number;
  totalMappedFile: number;
  runnerFileKiB: number;
  hostAvailableKiB: number;
  hostTotalKiB: number;
  pswpout: number;
}

it("runs out when a real runner in a limited group begins to swap, while its usage stood at the limit long before", () => {
  const rows: GroupRow[] = JSON.parse(fixture("memory/group-into-swap.json"));
  const headroomAt = (row: GroupRow): number => {
    const hotMappedBytes = row.runnerFileKiB * 1024;
    const stat = `total_rss ${row.totalRss}\ntotal_mapped_file ${row.totalMappedFile}\n`;
    const usedBytes = unreclaimableBytes(stat, 1, hotMappedBytes) ?? 0;
    return (
      linuxHeadroom({
        totalBytes: row.hostTotalKiB * 1024,
        availableBytes: row.hostAvailableKiB * 1024,
        hotMappedBytes,
        groups: [{ limitBytes: row.limitBytes, usedBytes }],
      })?.headroomBytes ?? Number.NaN
    );
  };
  const swapping = rows.findIndex((row) => row.pswpout > 199_403);
  const lastBefore = rows[swapping - 1];
  expect(rows[swapping]?.tMs).toBe(90_001); // The first row after the onset at 87 s.
  expect(Math.abs(lastBefore === undefined ? Number.NaN : headroomAt(lastBefore))).toBeLessThan(16 * MIB);

  const full = rows.filter((row) => row.tMs >= 15_000 && row.tMs < 70_000);
  for (const row of full) {
    expect(row.limitBytes - row.usageBytes).toBeLessThan(16 * MIB);
    expect(headroomAt(row)).toBeGreaterThan(60 * MIB);
    expect(row.hostAvailableKiB * 1024).toBeGreaterThan(hostFloorBytes(row.hostTotalKiB * 1024) * 20);
  }
});
