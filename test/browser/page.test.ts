import { gzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { busyScene, emptyScene, textOf, useBrowser, warnedScene } from "./support/harness.ts";
import { busySnapshot, emptySnapshot, healthy, samplesUntil } from "./support/scenes.ts";

const { show } = useBrowser();

describe("the page", () => {
  it("says in one sentence whether memory is safe, and in one word what goes on", async () => {
    const { page, complaints } = await show(busyScene());
    expect(await textOf(page, ".sentence")).toMatch(/^\d+\.\d of 16 GiB used · \d\.\d GiB before swap$/);
    expect(await textOf(page, ".badge")).toBe("decoding");
    expect(await page.title()).toMatch(/^decoding · .* before swap – Plimsoll$/);
    expect(complaints).toEqual([]);
  });

  it("shows everything vital above the fold at 1280×720", async () => {
    const { page } = await show(warnedScene());
    for (const selector of [".verdict", ".memory", ".now", ".chats", ".ledger tbody tr:nth-child(4)"]) {
      const box = await page.locator(selector).boundingBox();
      expect((box?.y ?? 0) + (box?.height ?? 0), selector).toBeLessThanOrEqual(720);
    }
  });

  it("is drawn from the record at once, with the figures of the chart in a table behind it", async () => {
    const { page } = await show(busyScene());
    await page.locator(".uplot canvas").waitFor();
    await page.getByText("Figures as a table").click();
    const rows = page.locator(".behind tbody tr");
    await vi.waitFor(async () => expect(await rows.count()).toBeGreaterThan(50));
    expect(await rows.count()).toBeLessThanOrEqual(60);
    expect(await rows.first().innerText()).toMatch(/^\d\d:\d\d:\d\d\s+\d+\.\d GiB\s+\d\.\d GiB/);
  });

  it("reads the record by the server's clock, however wrong the browser's is", async () => {
    const clockAheadMs = 3_600_000;
    const samples = samplesUntil(Date.now() + clockAheadMs);
    const { page } = await show({ ...busyScene(), samples, clockAheadMs });
    await page.getByText(/at worst .* before swap/).waitFor();
    expect(await textOf(page, "figcaption")).not.toContain("No samples");
    expect(await textOf(page, ".live > li:first-child .elapsed")).toMatch(/^1[2-5] s$/);
  });

  it("shows what Ollama claims beside what was measured", async () => {
    const { page } = await show(busyScene());
    const model = page.locator(".models li").first();
    expect(await model.innerText()).toMatch(
      /Measured\s+5\.3 GiB[\s\S]*1\.5 GiB mapped[\s\S]*Ollama says\s+3\.7 GiB/,
    );
    expect(await model.innerText()).toMatch(/8,192\s+× 2 slots, f16 cache/);
  });

  it("says where figures come from, also to those who do not see the marks", async () => {
    const { page } = await show(busyScene());
    const heading = (name: string) => page.getByRole("columnheader", { name, exact: true });
    await heading("tok/s predicted predicted").waitFor();
    await heading("tok/s actual derived").waitFor();
    await heading("First token actual measured").waitFor();
  });

  it("asks nothing of any other host", async () => {
    const { requests, server } = await show(busyScene());
    const { host } = new URL(server.url);
    expect(requests.length).toBeGreaterThan(4);
    expect(requests.map((url) => new URL(url).host)).toEqual(requests.map(() => host));
  });

  it("weighs at most 60 kB in all, packed", async () => {
    const { requests } = await show(busyScene());
    const files = requests.filter((url) => url.endsWith("/plimsoll/") || url.includes("/assets/"));
    expect(files.length).toBeGreaterThanOrEqual(3);
    let bytes = 0;
    for (const url of files) bytes += gzipSync(await (await fetch(url)).text(), { level: 9 }).length;
    expect(bytes).toBeLessThanOrEqual(60_000);
  });

  it("is labelled when it is simulated", async () => {
    const scene = busyScene();
    const { page } = await show({ ...scene, snapshot: (now) => ({ ...busySnapshot(now), simulated: true }) });
    expect(await textOf(page, ".simulated")).toMatch(/simulated/i);
  });

  it("says plainly what does not work", async () => {
    const scene = emptyScene();
    const health = {
      ...healthy,
      upstream: { url: "http://10.0.0.9:11434", reachable: false },
      recorder: { state: "off" as const, pending: 0, dropped: 0, problem: "the directory cannot be written" },
      sampler: { state: "remote" as const, problems: [] },
    };
    const snapshot = (now: number) => ({ ...emptySnapshot(now), sample: undefined, health });
    const { page } = await show({ ...scene, snapshot, samples: [] });
    const said = await textOf(page, ".statements");
    expect(said).toContain("Ollama does not answer at http://10.0.0.9:11434.");
    expect(said).toContain("Recording is off because the directory cannot be written.");
    expect(said).toContain("the memory of that host is not visible");
  });

  it("says what to do when nothing has come through yet, with its own address", async () => {
    const { page, server } = await show(emptyScene());
    const { origin, host } = new URL(server.url);
    const text = await textOf(page, ".clients");
    expect(text).toContain(`OLLAMA_BASE_URL=${origin}`);
    expect(text).toContain(`OLLAMA_HOST=${host}`);
    expect(text).toContain(`base_url="${origin}/v1"`);
  });
});
