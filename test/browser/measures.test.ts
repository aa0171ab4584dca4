import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { describe, expect, it, vi } from "vitest";
import { busyScene, desktop, useBrowser } from "./support/harness.ts";
import { decodingExchange, endedExchange, sampleAt } from "./support/scenes.ts";
import { inspect, longestTaskSeconds, slowness, workedSeconds } from "./support/work.ts";

const { open, serve, show } = useBrowser();

/** A page of a few lines without a script. */
async function openBlank(): Promise<Page> {
  const { url } = await serve(busyScene(), { token: "s3cret" });
  return (await open(url, desktop)).page;
}

// Other work on the same processor can only make these worse, so the best of a few tries counts.
describe("how quick the page is", { retry: 3 }, () => {
  it("paints within 0.3 s and is useful within 0.6 s", async () => {
    const server = await serve(busyScene());
    const painted = (page: Page): Promise<number> =>
      page.evaluate(`new Promise((resolve) => new PerformanceObserver((list) => {
        const first = list.getEntriesByName("first-contentful-paint")[0];
        if (first) resolve(first.startTime);
      }).observe({ type: "paint", buffered: true }))`);
    const waits: number[] = [];
    const paints: number[] = [];
    const useful: number[] = [];
    let slower = 1;
    for (let attempt = 0; attempt < 4; attempt += 1) {
      // How long this machine takes to paint anything now.
      const blank = await openBlank();
      waits.push(await painted(blank));
      if (attempt === 3) slower = await slowness(blank);
      await blank.close();
      const { page } = await open(server.url, desktop);
      await page.waitForFunction(
        `document.querySelector(".uplot canvas") && document.querySelector(".ledger tbody tr")`,
      );
      useful.push(await page.evaluate("performance.now()"));
      paints.push(await painted(page));
      await page.close();
    }
    const wait = Math.min(...waits);
    expect(Math.min(...paints) - wait).toBeLessThanOrEqual(300 * slower);
    expect(Math.min(...useful) - wait).toBeLessThanOrEqual(600 * slower);
  });

  it("takes at most 3 % of a core while a chat decodes at 50 tok/s", async () => {
    const { page, server } = await show(busyScene());
    const session = await inspect(page);
    await sleep(1500);
    const seconds = 8;
    const before = await workedSeconds(session);
    for (let quarter = 0; quarter < seconds * 4; quarter += 1) {
      const now = Date.now();
      const contentChunkCount = 128 + quarter * 12;
      server.live.publishExchange({ ...decodingExchange(now), contentChunkCount });
      if (quarter % 4 === 0) server.live.publishSample(sampleAt(now, 599));
      await sleep(250);
    }
    const share = ((await workedSeconds(session)) - before) / seconds;
    expect(share).toBeLessThanOrEqual(0.03 * (await slowness(await openBlank())));
  });

  it("draws 30 days within 200 ms", async () => {
    const scene = busyScene();
    const now = Date.now();
    const stepMs = (30 * 24 * 3_600_000) / 600;
    scene.samples = Array.from({ length: 600 }, (_, index) => ({
      ...sampleAt(now - (600 - index) * stepMs, index),
      spanSeconds: stepMs / 1000,
    }));
    const { page } = await show(scene);
    const session = await inspect(page);
    await sleep(500);
    const before = await workedSeconds(session);
    await page.getByRole("button", { name: "30 d" }).click();
    await page.getByText(/at worst .* before swap/).waitFor();
    await sleep(300);
    const worked = (await workedSeconds(session)) - before;
    expect(worked).toBeLessThanOrEqual(0.2 * (await slowness(await openBlank())));
  });

  it("holds no frame up for 50 ms with 64 chats running", async () => {
    const { page, server } = await show(busyScene());
    const publish = (round: number) => {
      for (let index = 0; index < 64; index += 1) {
        const exchange = { ...decodingExchange(Date.now()), id: `live-${index}` };
        server.live.publishExchange({ ...exchange, contentChunkCount: 100 + round * 12 });
      }
    };
    publish(0);
    await vi.waitFor(async () => expect(await page.locator(".live > li").count()).toBe(64));
    const longest = await longestTaskSeconds(page, async () => {
      for (let round = 1; round <= 20; round += 1) {
        publish(round);
        await sleep(250);
      }
    });
    expect(longest).toBeLessThanOrEqual(0.05 * (await slowness(await openBlank())));
  });
});

describe("an hour of it", () => {
  it("leaves the heap as it was", async () => {
    const { page, server } = await show(busyScene());
    const session = await inspect(page);
    const heap = async (): Promise<number> => {
      await sleep(300);
      await session.send("HeapProfiler.collectGarbage");
      return (await session.send("Runtime.getHeapUsage")).usedSize;
    };
    const start = Date.now();
    /** Ten minutes of samples and two hundred exchanges, as fast as they go. */
    const tenMinutes = async (from: number): Promise<void> => {
      for (let second = 0; second < 600; second += 1) {
        const at = start + (from + second) * 1000;
        server.live.publishSample(sampleAt(at, second % 600));
        if (second % 3 === 0) {
          const id = `hour-${from + second}`;
          server.live.publishExchange({ ...decodingExchange(at), id });
          server.live.publishExchange({ ...endedExchange(0, at), id });
        }
        if (second % 20 === 0) await sleep(16);
      }
    };
    await tenMinutes(0);
    await tenMinutes(600);
    const early = await heap();
    for (let part = 2; part < 6; part += 1) await tenMinutes(part * 600);
    const late = await heap();
    // The record's further rows are kept for looking back: a kilobyte or two an exchange, up to its limit.
    expect(late - early).toBeLessThan(4_000_000);
  });
});
