import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { busyScene, emptyScene, textOf, useBrowser } from "./support/harness.ts";
import { decodingExchange, endedExchange, sampleAt } from "./support/scenes.ts";

const { serve, show } = useBrowser();

describe("live", () => {
  it("shows an exchange from its first token to its row in the table", async () => {
    const { page, server } = await show(emptyScene());
    const now = Date.now();
    server.live.publishExchange({ ...decodingExchange(now), contentChunkCount: 41 });
    const row = page.locator(".live > li");
    await row.waitFor();
    expect(await row.innerText()).toMatch(/gemma3:4b\s+open-webui[\s\S]*decoding \d+ s 41 tokens/);
    expect(await row.innerText()).toContain("7,602 / 8,192");
    server.live.publishExchange({ ...endedExchange(0, now), id: "live-1" });
    await page.locator(".ledger tbody tr").waitFor();
    expect(await page.locator(".live > li").count()).toBe(0);
    expect(await textOf(page, ".ledger tbody tr")).toContain("7,614");
  });

  it("moves the sentence with each sample", async () => {
    const { page, server } = await show(emptyScene());
    const sample = { ...sampleAt(Date.now(), 599), headroomBytes: -(1024 ** 3) };
    server.live.publishSample(sample);
    await page.locator(".sentence", { hasText: "1 GiB past the load line" }).waitFor();
  });

  it("marks the loss of the connection and the gap it left, and goes on by itself", async () => {
    const scene = busyScene();
    const { page, server: first } = await show(scene);
    const port = Number(new URL(first.url).port);
    await first.close();
    await page.getByText(/connection lost at \d\d:\d\d:\d\d, trying again/).waitFor();
    // The program was down for twelve seconds of its own time.
    const before = scene.samples.filter((sample) => sample.takenAt < Date.now() - 20_000);
    const after = scene.samples.filter((sample) => sample.takenAt > Date.now() - 8000);
    scene.samples = [...before, ...after, sampleAt(Date.now(), 599)];
    await serve(scene, { port });
    await page.getByText("live", { exact: true }).waitFor();
    await page.getByText(/No samples from \d\d:\d\d:\d\d to \d\d:\d\d:\d\d/).waitFor();
  });

  it("is sent nothing while the page is hidden, and is right again when it is seen", async () => {
    const { page, server, frames } = await show(emptyScene());
    const hide = (hidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"))`);
    await hide(true);
    await vi.waitFor(() => expect(frames).toContain(">pause"));
    // What was under way may still arrive; after that there must be silence.
    await sleep(200);
    const before = frames.length;
    server.live.publishSample(sampleAt(Date.now(), 599));
    server.live.refresh();
    await sleep(400);
    expect(frames.slice(before)).toEqual([]);
    await hide(false);
    await vi.waitFor(() => expect(frames.slice(before)).toEqual([">resume", "snapshot"]));
  });

  it("reloads itself once when the server comes back as another version", async () => {
    const scene = emptyScene();
    const { page, server: first } = await show(scene);
    const port = Number(new URL(first.url).port);
    await page.evaluate("window.before = true");
    await first.close();
    const { snapshot } = scene;
    scene.snapshot = (now) => ({ ...snapshot(now), version: "0.2.0" });
    await serve(scene, { port });
    await vi.waitFor(async () => expect(await page.evaluate("window.before")).toBeUndefined(), 15_000);
    await page.getByText("live", { exact: true }).waitFor();
    // A cache that goes on giving the old page must not make it reload for ever.
    await page.evaluate("window.before = true");
    await page.reload();
    await page.getByText("live", { exact: true }).waitFor();
    await page.evaluate("window.before = true");
    await sleep(1500);
    expect(await page.evaluate("window.before")).toBe(true);
  });

  it("stands snapshots with missing parts and messages it does not know", async () => {
    const scene = emptyScene();
    scene.snapshot = () => ({ version: "0.1.0", models: [{}], exchanges: [null, { id: "x" }] }) as never;
    const { page, server, complaints } = await show(scene);
    server.live.publishConversation({ id: "only-an-id" } as never);
    server.live.publishAlert({ id: "only-an-id" } as never);
    server.live.publishLoad({ id: "only-an-id" } as never);
    server.live.publishRemoved("weather" as never, "x");
    server.live.publishSample({ takenAt: Date.now() } as never);
    server.live.publishExchange({ ...decodingExchange(Date.now()), id: "y", notices: undefined } as never);
    await page.getByText("decoding", { exact: false }).first().waitFor();
    expect(await page.locator(".live > li").count()).toBe(2);
    expect(complaints).toEqual([]);
  });
});
