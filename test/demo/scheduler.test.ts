import { afterEach, describe, expect, it } from "vitest";
import { createClock } from "../../src/demo/clock.ts";
import { CATALOGUE } from "../../src/demo/engine/catalogue.ts";
import { createScheduler, type RunnerRequest, type Scheduler } from "../../src/demo/engine/scheduler.ts";

const clock = createClock({ speed: 2000 });
let scheduler: Scheduler;
const fresh = (): Scheduler => {
  scheduler = createScheduler({ clock, firstPid: 100 });
  return scheduler;
};
afterEach(() => scheduler.close());

const patient = new AbortController().signal;
function request(
  more: Partial<RunnerRequest> & { contextLength?: number; index?: number } = {},
): RunnerRequest {
  const { contextLength = 4096, index = 2, ...rest } = more;
  const model = CATALOGUE[index];
  if (model === undefined) throw new Error(`no model ${index}`);
  return { model, name: model.name, options: { contextLength, shift: true, others: {} }, ...rest };
}
const pids = (): number[] => scheduler.residents().map((resident) => resident.runner.pid);

describe("scheduler", () => {
  it("serves the same options with the same runner, and says at once that it is there", async () => {
    fresh();
    const first = await scheduler.acquire(request(), patient);
    first.release();
    const second = await scheduler.acquire(request(), patient);
    expect(first.loadMs).toBeGreaterThan(1000);
    expect(second.loadMs).toBeLessThan(5);
    expect(second.runner).toBe(first.runner);
  });

  it.each([
    ["a larger window", { contextLength: 8192 }],
    ["a smaller window", { contextLength: 2048 }],
    ["no context shift", { options: { contextLength: 4096, shift: false, others: {} } }],
    ["other threads", { options: { contextLength: 4096, shift: true, others: { num_thread: 4 } } }],
  ])("replaces the runner for %s", async (_name, more) => {
    fresh();
    (await scheduler.acquire(request(), patient)).release();
    (await scheduler.acquire(request(more), patient)).release();
    expect(pids()).toEqual([101]);
  });

  it("waits for a runner's users before it replaces it", async () => {
    fresh();
    const first = await scheduler.acquire(request(), patient);
    let replaced = false;
    const second = scheduler.acquire(request({ contextLength: 8192 }), patient).then((lease) => {
      replaced = true;
      return lease;
    });
    await clock.sleep(20_000);
    expect([replaced, pids()]).toEqual([false, [100]]);
    first.release();
    (await second).release();
    expect(pids()).toEqual([101]);
  });

  it("lets one request at a time into the slot, in order, and lets those who give up go", async () => {
    fresh();
    const leases = await Promise.all([1, 2, 3].map(() => scheduler.acquire(request(), patient)));
    const [first, second, third] = leases;
    if (first === undefined || second === undefined || third === undefined) throw new Error("no lease");
    expect(await first.turn(patient)).toBe(0);
    const impatient = new AbortController();
    const givesUp = second.turn(impatient.signal);
    const waits = third.turn(patient);
    impatient.abort();
    await expect(givesUp).rejects.toThrow();
    second.release();
    await clock.sleep(10_000);
    first.release();
    expect(await waits).toBeGreaterThan(5000);
  });

  it("throws a load away when the client leaves during it", async () => {
    fresh();
    const leaving = new AbortController();
    const load = scheduler.acquire(request({ index: 0 }), leaving.signal);
    await clock.sleep(1000);
    expect(pids()).toEqual([100]);
    expect(scheduler.residents()[0]?.runner.loaded()).toBe(false);
    leaving.abort();
    await expect(load).rejects.toThrow();
    expect(pids()).toEqual([]);
  });

  it("ends a runner when keep_alive is over, counted from the end of its last request", async () => {
    fresh();
    const lease = await scheduler.acquire(request({ keepAliveMs: 20_000 }), patient);
    await clock.sleep(40_000);
    expect(pids()).toEqual([100]);
    lease.release();
    await clock.sleep(60_000);
    expect(pids()).toEqual([]);
  });

  it("keeps one for ever when told so, until it is unloaded", async () => {
    fresh();
    (await scheduler.acquire(request({ keepAliveMs: -1 }), patient)).release();
    await clock.sleep(900_000);
    expect(pids()).toEqual([100]);
    expect(scheduler.residents()[0]?.expiresAt()).toBeGreaterThan(clock.now() + 290 * 365 * 86_400_000);
    scheduler.unload(request().model);
    await clock.sleep(1000);
    expect(pids()).toEqual([]);
  });

  it("makes room for a fourth model by ending the idle one that would go first", async () => {
    fresh();
    (await scheduler.acquire(request({ index: 1, keepAliveMs: 800_000 }), patient)).release();
    (await scheduler.acquire(request({ index: 2, keepAliveMs: 400_000 }), patient)).release();
    (await scheduler.acquire(request({ index: 3, keepAliveMs: 900_000 }), patient)).release();
    (await scheduler.acquire(request({ index: 4 }), patient)).release();
    expect(pids()).toEqual([100, 102, 103]);
  });
});
