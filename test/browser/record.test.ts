import { describe, expect, it, vi } from "vitest";
import type { Exchange } from "../../src/types.ts";
import { busyScene, desktop, phone, useBrowser } from "./support/harness.ts";
import { busySnapshot, decodingExchange, endedExchange } from "./support/scenes.ts";
import { openEpisode } from "./support/story.ts";

const { show } = useBrowser();
const aChat = {
  startedAt: 1,
  lastAt: 2,
  turnCount: 1,
  contextLength: 4096,
  contextTokensUsed: 99,
  notices: [],
};

describe("the record", () => {
  it("is read page by page, back and forth", async () => {
    const { page } = await show(busyScene());
    const first = page.locator(".ledger tbody tr").first();
    const newest = await first.innerText();
    const older = page.getByRole("button", { name: "Older" });
    const newer = page.getByRole("button", { name: "Newer" });
    expect(await newer.isDisabled()).toBe(true);
    await older.click();
    await vi.waitFor(async () => expect(await first.innerText()).not.toBe(newest));
    await older.click();
    // 130 exchanges and two loads.
    await vi.waitFor(async () => expect(await page.locator(".ledger tbody tr").count()).toBe(32));
    expect(await older.isDisabled()).toBe(true);
    await newer.click();
    await newer.click();
    await vi.waitFor(async () => expect(await first.innerText()).toBe(newest));
  });
});

describe("hostile names", () => {
  const long = `${"very-long-".repeat(1000)}end`;
  const rightToLeft = "\u202Egnp.exe\u202C עברית";
  const html = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';

  it("are text, stay in their place, and widen nothing", async () => {
    const scene = busyScene();
    const hostile = (id: string, model: string): Exchange => ({
      ...endedExchange(0, Date.now()),
      id,
      model,
      client: { name: model },
      state: { phase: "failed", endedAt: Date.now(), error: { code: "x", message: model } },
      notices: [{ kind: "truncated", message: model }],
    });
    const names = [html, long, rightToLeft, "\u200B\u200B", "a\nb"];
    const ended = [...names.map((name, index) => hostile(`hostile-${index}`, name)), ...scene.ended];
    const snapshot = (now: number) => {
      const usual = busySnapshot(now);
      const exchanges = names.map((model, index) => ({
        ...decodingExchange(now),
        id: `live-${index}`,
        model,
      }));
      const conversations = names.map((name, index) => ({
        ...aChat,
        id: `chat-${index}`,
        client: name,
        model: name,
      }));
      const episodes = [{ ...openEpisode(now), text: html + long, causes: [{ name: long, bytes: 1 }] }];
      const models = usual.models.map((model) => ({ ...model, name: long }));
      return { ...usual, exchanges, conversations, episodes, models };
    };
    const load = {
      id: "load-x",
      startedAt: Date.now() - 9000,
      model: long,
      cause: "first" as const,
      client: html,
    };
    for (const view of [desktop, phone]) {
      const { page, complaints } = await show({ ...scene, ended, snapshot, loads: [load] }, view);
      await page.locator(".ledger tbody tr").first().waitFor();
      expect(await page.title()).not.toBe("owned");
      expect(await page.locator("main img").count()).toBe(0);
      expect(await page.getByText(html).count()).toBeGreaterThan(0);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(view.width);
      for (const tab of ["What if", "Alerts and advice"]) {
        await page.getByRole("link", { name: tab }).click();
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(view.width);
      }
      // A model of such a name is asked about, and the server says that there is none: browsers report that.
      expect(complaints.filter((complaint) => !complaint.startsWith("Failed to load"))).toEqual([]);
    }
  });
});
