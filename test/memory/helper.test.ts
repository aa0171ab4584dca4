import { execPath } from "node:process";

import { beforeEach, describe, expect, it, vi } from "vitest";

import { createHelper } from "../../src/memory/helper.ts";
import { spawnHelper } from "../../src/memory/spawn.ts";
import { fakeSpawn } from "./fakeSpawn.ts";

const monotonic = (): number => Date.now();

function helperOn(fake: ReturnType<typeof fakeSpawn>, options: { optional?: boolean } = {}) {
  const lines: string[] = [];
  const helper = createHelper({
    name: "vm_stat",
    command: "vm_stat",
    args: ["1"],
    spawn: fake.spawn,
    monotonic,
    silentMs: 10_000,
    onLine: (line) => lines.push(line),
    ...options,
  });
  return { helper, lines };
}

describe("a helper program", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    return () => vi.useRealTimers();
  });

  const settle = async (): Promise<void> => {
    await vi.advanceTimersByTimeAsync(0);
  };

  it("is started once and heard line by line", async () => {
    const fake = fakeSpawn();
    const { helper, lines } = helperOn(fake);
    helper.start();
    helper.start();
    fake.latest().print("one\ntw");
    await settle();
    fake.latest().print("o\n");
    await settle();
    expect(lines).toEqual(["one", "two"]);
    expect(fake.programs).toHaveLength(1);
    expect(helper.problem()).toBeUndefined();
  });

  it("is started again after 1, 2, 4 … at most 60 s, and is a problem meanwhile", async () => {
    const fake = fakeSpawn();
    const { helper } = helperOn(fake);
    helper.start();
    for (const pauseMs of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
      fake.latest().end(1);
      expect(helper.problem()).toBe(`vm_stat ended (exit code 1); next try in ${pauseMs / 1000} s`);
      const before = fake.programs.length;
      await vi.advanceTimersByTimeAsync(pauseMs - 1);
      expect(fake.programs).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(fake.programs).toHaveLength(before + 1);
    }
  });

  it("is no problem any more once it speaks again, and starts afresh after a healthy minute", async () => {
    const fake = fakeSpawn();
    const { helper } = helperOn(fake);
    helper.start();
    fake.latest().end(1);
    await vi.advanceTimersByTimeAsync(1000);
    fake.latest().end(1);
    await vi.advanceTimersByTimeAsync(2000);
    for (let second = 0; second < 61; second += 1) {
      fake.latest().print("line\n");
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(helper.problem()).toBeUndefined();
    fake.latest().end(1);
    expect(helper.problem()).toMatch(/next try in 1 s/);
  });

  it("is ended and started anew when it says nothing for too long", async () => {
    const fake = fakeSpawn();
    const { helper } = helperOn(fake);
    helper.start();
    fake.latest().print("line\n");
    await vi.advanceTimersByTimeAsync(9999);
    expect(fake.latest().killed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(fake.latest().killed).toBe(true);
    expect(helper.problem()).toMatch(/said nothing for 10 s; next try in 1 s/);
    await vi.advanceTimersByTimeAsync(1000);
    expect(fake.programs).toHaveLength(2);
  });

  it("that is not installed is a problem and tried again, unless it is optional", async () => {
    const fake = fakeSpawn();
    const needed = helperOn(fake).helper;
    needed.start();
    fake.latest().fail("ENOENT");
    expect(needed.problem()).toMatch(/vm_stat is not installed/);
    await vi.advanceTimersByTimeAsync(1000);
    expect(fake.programs).toHaveLength(2);
    await needed.stop();

    const optional = helperOn(fake, { optional: true }).helper;
    optional.start();
    fake.latest().fail("ENOENT");
    expect(optional.problem()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(120_000);
    optional.start();
    expect(fake.programs).toHaveLength(3);
  });

  it("that cannot be started because there is no memory for it is tried again", async () => {
    const fake = fakeSpawn();
    let short = true;
    const { helper } = helperOn({
      ...fake,
      spawn: (command, args) => {
        if (short) throw new Error("spawn ENOMEM");
        return fake.spawn(command, args);
      },
    });
    helper.start();
    expect(helper.problem()).toMatch(/cannot be started \(spawn ENOMEM\)/);
    short = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect(fake.programs).toHaveLength(1);
  });

  it("is killed on stop, not started again, and not listened to", async () => {
    const fake = fakeSpawn();
    const { helper, lines } = helperOn(fake);
    helper.start();
    await helper.stop();
    expect(fake.latest().killed).toBe(true);
    fake.latest().print("late\n");
    await vi.advanceTimersByTimeAsync(120_000);
    expect(fake.programs).toHaveLength(1);
    expect(lines).toEqual([]);
    expect(helper.problem()).toBeUndefined();
  });

  it("is not started by a stop while its next try was pending", async () => {
    const fake = fakeSpawn();
    const { helper } = helperOn(fake);
    helper.start();
    fake.latest().end(1);
    await helper.stop();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(fake.programs).toHaveLength(1);
  });

  it("can be stopped and started in one breath", async () => {
    const fake = fakeSpawn();
    const { helper, lines } = helperOn(fake);
    helper.start();
    const stopping = helper.stop();
    helper.start();
    await stopping;
    fake.latest().print("again\n");
    await settle();
    expect(lines).toEqual(["again"]);
    expect(helper.problem()).toBeUndefined();
  });

  it("that cannot be killed does not hold up the end", async () => {
    const fake = fakeSpawn({ stubborn: true });
    const { helper } = helperOn(fake);
    helper.start();
    const stopped = helper.stop();
    await vi.advanceTimersByTimeAsync(1000);
    await stopped;
  });
});

it("really starts a program, with plain numbers, and really ends it", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const helper = createHelper({
    name: "node",
    command: execPath,
    args: ["-e", "console.log(process.pid, process.env.LC_ALL); setInterval(() => {}, 1000)"],
    spawn: spawnHelper,
    monotonic,
    silentMs: 10_000,
    onLine: resolve,
  });
  helper.start();
  const [pid, locale] = (await promise).split(" ");
  expect(locale).toBe("C");
  expect(process.kill(Number(pid), 0)).toBe(true);
  await helper.stop();
  expect(() => process.kill(Number(pid), 0)).toThrow(/ESRCH/);
});
