import { expect, it } from "vitest";

import { createGroupWatch } from "../../src/memory/groups-linux.ts";
import { fakeTree, fixture, type FakeTree } from "./fixtures.ts";

const GIB = 1024 ** 3;

function machine(): { proc: FakeTree; sys: FakeTree; watch: ReturnType<typeof createGroupWatch> } {
  const proc = fakeTree();
  const sys = fakeTree();
  return { proc, sys, watch: createGroupWatch({ proc: proc.root, sys: sys.root }) };
}

const STAT_2 = fixture("memory/group-memory-stat.txt");
const USED_2 = 536870912 + 8388608 + (20971520 - 8388608);

it("finds the limit of a group and of the groups above it", () => {
  const { proc, sys, watch } = machine();
  proc.write("7/cgroup", "0::/user.slice/ollama.service\n");
  sys.write("fs/cgroup/user.slice/ollama.service/memory.max", "max\n");
  sys.write("fs/cgroup/user.slice/ollama.service/memory.high", "629145600\n");
  sys.write("fs/cgroup/user.slice/ollama.service/memory.stat", STAT_2);
  sys.write("fs/cgroup/user.slice/memory.max", `${2 * GIB}\n`);
  sys.write("fs/cgroup/user.slice/memory.stat", STAT_2);
  watch.follow([7], 16 * GIB);

  expect(watch.read(0)).toEqual([
    { limitBytes: 629145600, usedBytes: USED_2 },
    { limitBytes: 2 * GIB, usedBytes: USED_2 },
  ]);
});

it("follows a limit that is changed, lifted and set again", () => {
  const { proc, sys, watch } = machine();
  proc.write("7/cgroup", "0::/box\n");
  sys.write("fs/cgroup/box/memory.max", `${2 * GIB}\n`);
  sys.write("fs/cgroup/box/memory.stat", STAT_2);
  watch.follow([7], 16 * GIB);
  sys.write("fs/cgroup/box/memory.max", `${3 * GIB}\n`);
  expect(watch.read(0)[0]?.limitBytes).toBe(3 * GIB);
  sys.write("fs/cgroup/box/memory.max", "max\n");
  expect(watch.read(0)).toEqual([]);
  sys.write("fs/cgroup/box/memory.max", `${4 * GIB}\n`);
  expect(watch.read(0)[0]?.limitBytes).toBe(4 * GIB);
});

it.each([
  ["the huge number that stands for none", "9223372036854771712"],
  ["a limit above the machine's memory", String(17 * GIB)],
])("takes %s for no limit", (_, limit) => {
  const { proc, sys, watch } = machine();
  proc.write("7/cgroup", "4:memory:/docker/ab\n0::/\n");
  sys.write("fs/cgroup/memory/docker/ab/memory.limit_in_bytes", `${limit}\n`);
  sys.write("fs/cgroup/memory/docker/ab/memory.stat", "total_rss 5\n");
  watch.follow([7], 16 * GIB);
  expect(watch.read(0)).toEqual([]);
});

it("falls back to version 1, and inside a container finds its group at the root of the tree", () => {
  const { proc, sys, watch } = machine();
  proc.write("7/cgroup", "4:memory:/docker/ab\n0::/\n");
  sys.write("fs/cgroup/memory/memory.limit_in_bytes", `${GIB}\n`);
  sys.write("fs/cgroup/memory/memory.stat", "total_rss 1000\ntotal_mapped_file 300\n");
  watch.follow([7], 16 * GIB);
  expect(watch.read(200)).toEqual([{ limitBytes: GIB, usedBytes: 1200 }]);
});

it("lets go of groups that no process lives in any more, and of processes that ended", () => {
  const { proc, sys, watch } = machine();
  proc.write("7/cgroup", "0::/box\n");
  sys.write("fs/cgroup/box/memory.max", `${GIB}\n`);
  sys.write("fs/cgroup/box/memory.stat", STAT_2);
  watch.follow([7], 16 * GIB);
  expect(watch.read(0)).toHaveLength(1);
  watch.follow([8], 16 * GIB);
  expect(watch.read(0)).toEqual([]);
});

it("says that a group outside our own container cannot be seen", () => {
  const { proc, watch } = machine();
  proc.write("7/cgroup", "0::/../../ollama\n");
  watch.follow([7], 16 * GIB);
  expect(watch.problems().join()).toMatch(/outside this container/);
  watch.follow([], 16 * GIB);
  expect(watch.problems()).toEqual([]);
});
