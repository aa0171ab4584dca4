import { describe, expect, it, vi } from "vitest";
import { busyScene, textOf, useBrowser } from "./support/harness.ts";
import { endedExchange } from "./support/scenes.ts";

const { show } = useBrowser();

describe("predicted and actual", () => {
  it("stand side by side with the error, for exchanges and loads", async () => {
    const { page } = await show(busyScene());
    const first = page.locator(".ledger tbody tr").first();
    expect((await first.innerText()).split(/\s+/)).toEqual(
      expect.arrayContaining(["7,600", "7,614", "−0.2", "700", "820", "24.0", "22.1", "+8.6"]),
    );
    const load = page.locator('.ledger tr[data-kind="load"]').filter({ hasText: "gemma3:4b" });
    expect(await load.innerText()).toMatch(
      /continue[\s\S]*reloaded[\s\S]*contextLength 4,096 → 8,192[\s\S]*3\.3 GiB[\s\S]*3\.1 GiB[\s\S]*\+6\.5 %/,
    );
  });

  it("can be filtered, through more of the record than is shown", async () => {
    const { page } = await show(busyScene());
    await page.getByPlaceholder("Filter").fill("embed continue");
    const rows = page.locator(".ledger tbody tr");
    await page.getByText(/^\d+ found$/).waitFor();
    await vi.waitFor(async () => expect(await rows.first().innerText()).toContain("nomic-embed-text"));
    await page.getByPlaceholder("Filter").fill("nowhere to be found");
    await page.getByText(/^Nothing among the latest exchanges and loads has/).waitFor();
  });

  it("has columns to choose, and remembers the choice", async () => {
    const { page } = await show(busyScene());
    await page.getByText("Columns", { exact: true }).click();
    await page.getByRole("checkbox", { name: "Prefill" }).check();
    await page.getByRole("checkbox", { name: "Memory" }).uncheck();
    await page.getByRole("columnheader", { name: /^Prefill/ }).waitFor();
    await page.reload();
    await page.getByRole("columnheader", { name: /^Prefill/ }).waitFor();
    expect(await page.getByRole("columnheader", { name: "Memory" }).count()).toBe(0);
  });

  it("opens a row to everything that is known of it", async () => {
    const { page } = await show(busyScene());
    await page.locator(".opens").nth(1).click();
    const detail = await textOf(page, ".detail");
    expect(detail).toMatch(
      /POST \/api\/chat[\s\S]*Ended by\s+stop[\s\S]*1,204 tokens of the prompt were cut\./,
    );
  });

  it("can be taken away as CSV", async () => {
    const { page, server } = await show(busyScene());
    const href = await page.getByRole("link", { name: "CSV", exact: true }).getAttribute("href");
    const text = await (await fetch(new URL(href ?? "", server.url))).text();
    expect(text.split("\n").length).toBeGreaterThan(100);
  });

  it("points at the same moment as the chart", async () => {
    const { page } = await show(busyScene());
    await page.locator(".ledger tbody tr").nth(3).hover();
    await vi.waitFor(async () => expect(await textOf(page, ".memory .head")).toMatch(/at \d\d:\d\d:\d\d/));
    const cursor = page.locator(".u-cursor-x:not(.u-off)");
    await vi.waitFor(async () => expect(await cursor.count()).toBe(1));
  });

  it("stays quick with ten thousand exchanges", async () => {
    const scene = busyScene();
    const now = Date.now();
    scene.ended = Array.from({ length: 10_000 }, (_, index) => ({
      ...endedExchange(index % 30, now - index * 1000),
      id: `many-${index}`,
    }));
    const { page } = await show(scene);
    await page.getByPlaceholder("Filter").fill("embed");
    await page.getByText(/^\d{2,3} found$/).waitFor();
    expect(await page.locator(".ledger tbody tr").count()).toBe(50);
  });
});

describe("the accuracy card", () => {
  it("tells median, p90, bias and n, of all and of each model", async () => {
    const scene = busyScene();
    const score = { n: 36, medianErrorRatio: 0.0024, p90ErrorRatio: 0.029, biasRatio: -0.0007 };
    scene.answers = {
      ...scene.answers,
      "GET /plimsoll/api/accuracy": () => ({
        overall: { decodeTokensPerSecond: score, contextTokensUsed: score },
        models: [
          { model: "gemma3:4b", scores: { contextTokensUsed: { ...score, n: 30 } } },
          { model: "other", scores: { contextTokensUsed: { ...score, n: 6 } } },
        ],
      }),
    };
    const { page } = await show(scene);
    const rows = page.locator(".accuracy > .pair > .scroll tbody tr");
    await vi.waitFor(async () => expect(await rows.count()).toBe(6));
    expect(await rows.first().innerText()).toMatch(/^context\s+0\.2 %\s+2\.9 %\s+−0\.1 %\s+36$/);
    await page.getByText(/^Context, \d+ exchanges, from/).waitFor();
    await page.getByRole("button", { name: "tok/s", exact: true }).click();
    await page.getByText(/^tok\/s, \d+ exchanges/).waitFor();
  });
});
