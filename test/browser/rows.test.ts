import { describe, expect, it, vi } from "vitest";
import { busyScene, textOf, useBrowser, warnedScene } from "./support/harness.ts";
import { busySnapshot } from "./support/scenes.ts";
import { openEpisode } from "./support/story.ts";

const { show } = useBrowser();

describe("the verdict", () => {
  it("says when swap is expected, why, and what to do, with the text to copy", async () => {
    const { page } = await show(warnedScene());
    expect(await textOf(page, ".sentence")).toMatch(/before swap · at this pace in about 2 min or 4 turns$/);
    const alert = page.getByRole("alert");
    expect(await alert.innerText()).toMatch(/warn\s+Swap in about 90 s: the prompt cache/);
    expect(await alert.innerText()).toContain("Give the prompt cache 2 GiB instead of 8. saves 1.1 GiB");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await alert.getByRole("button", { name: "Copy sudo systemctl edit ollama" }).click();
    await alert.getByText("copied").waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe("sudo systemctl edit ollama");
  });

  it("while the machine swaps does not foretell it", async () => {
    const scene = warnedScene();
    const { snapshot } = scene;
    const verdict = { state: "swapping", level: "swapping", text: "" } as const;
    const { page } = await show({ ...scene, snapshot: (now) => ({ ...snapshot(now), verdict }) });
    await page.locator('.badge[data-state="swapping"]').waitFor();
    expect(await textOf(page, ".sentence")).toMatch(/before swap$/);
  });

  it("tells how an alert ended, and is calm again", async () => {
    const scene = warnedScene();
    const { page, server } = await show(scene);
    await page.getByRole("alert").waitFor();
    const { snapshot } = scene;
    scene.snapshot = (now) => ({
      ...snapshot(now),
      episodes: [{ ...openEpisode(now), endedAt: now, outcome: "hit", leadSeconds: 41 }],
      forecast: undefined,
    });
    server.live.refresh();
    await page.getByText(/The alert of .* ended at .*: swap came, warned 41 s before\./).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    expect(await textOf(page, ".sentence")).toMatch(/before swap$/);
  });
});

describe("memory", () => {
  it("is divided into its parts, the prompt cache with its limit", async () => {
    const { page } = await show(busyScene());
    await vi.waitFor(async () => {
      expect(await textOf(page, ".memory .bands")).toMatch(
        /other programs\s+5\.\d GiB[\s\S]*weights\s+2\.4 GiB[\s\S]*KV occupied[\s\S]*KV allocated[\s\S]*prompt cache\s+1\.\d GiB\s+of 8 GiB/,
      );
    });
  });

  it("draws the forecast, and says where it leads", async () => {
    const { page } = await show(warnedScene());
    await vi.waitFor(async () =>
      expect(await textOf(page, ".memory figcaption")).toMatch(/expected to reach swap in about \d+ s|2 min/),
    );
  });

  it("names loads, reloads and cuts at the moment that is looked at, and in the table", async () => {
    const { page } = await show(busyScene());
    await page.getByText("Figures as a table").click();
    expect(await textOf(page, ".events")).toMatch(
      /gemma3:4b reloaded for other settings: contextLength 4,096 → 8,192 by continue, after open-webui/,
    );
    expect(await textOf(page, ".events")).toContain("prompt cut −1,204 tokens");
    const chart = page.getByRole("slider", { name: "Moment shown, arrow keys move it" });
    await chart.focus();
    await page.keyboard.press("Home");
    for (let press = 0; press < 3; press += 1) await page.keyboard.press("PageUp");
    await vi.waitFor(async () => expect(await textOf(page, ".memory figcaption")).toContain("reloaded"));
  });

  it("has a chart of its own for a GPU, on the same cursor", async () => {
    const scene = busyScene();
    const gpus = [
      {
        id: "0",
        vendor: "nvidia" as const,
        name: "RTX 4090",
        totalBytes: 24 * 1024 ** 3,
        usedBytes: 9 * 1024 ** 3,
      },
    ];
    scene.samples = scene.samples.map((sample) => ({ ...sample, gpus }));
    const { snapshot } = scene;
    scene.snapshot = (now) => {
      const usual = snapshot(now);
      return { ...usual, sample: usual.sample && { ...usual.sample, gpus } };
    };
    const { page } = await show(scene);
    expect(await textOf(page, ".gpu figcaption")).toBe("RTX 4090 9 GiB of 24 GiB");
    await page.getByRole("slider", { name: /RTX 4090/ }).focus();
    await page.keyboard.press("Home");
    await vi.waitFor(async () => expect(await textOf(page, ".memory .head")).toMatch(/at \d\d:\d\d/));
    const cursors = page.locator(".u-cursor-x:not(.u-off)");
    await vi.waitFor(async () => expect(await cursors.count()).toBe(2));
  });
});

describe("now", () => {
  it("shows each phase with its time, and the speed beside the one expected", async () => {
    const { page } = await show(busyScene());
    const [first, second] = [page.locator(".live > li").nth(0), page.locator(".live > li").nth(1)];
    expect(await first.innerText()).toMatch(/decoding \d s 128 tokens[\s\S]*21\.\d tok\/s[\s\S]*19\.0/);
    expect(await second.innerText()).toMatch(/prefill \d s of 9 s/);
  });

  it("cancels an exchange only when asked twice", async () => {
    const scene = { ...busyScene(), cancelled: [] as string[] };
    const { page } = await show(scene);
    const button = page.getByRole("button", { name: "Cancel gemma3:4b" }).first();
    await button.focus();
    await page.keyboard.press("Enter");
    const sure = page.getByRole("button", { name: "Cut this client's answer?" });
    await sure.waitFor();
    await page.keyboard.press("Escape");
    await button.waitFor();
    expect(scene.cancelled).toEqual([]);
    await page.keyboard.press("Enter");
    await sure.waitFor();
    await page.keyboard.press("Enter");
    await vi.waitFor(() => expect(scene.cancelled).toEqual(["live-1"]));
  });
});

describe("chats", () => {
  it("say how full they are, how many turns are left and where the cliff is", async () => {
    const { page } = await show(busyScene());
    const chat = page.locator(".chats li").first();
    expect(await chat.innerText()).toMatch(
      /open-webui\s+gemma3:4b\s+12 turns, 1–3 turns left[\s\S]*7,060 \/ 8,192[\s\S]*23\.8 → 18\.4 tok\/s\s+cliff ahead at turn 15: 48\.0 s of prefill a turn/,
    );
    await chat.getByRole("img", { name: /12 turns, the last 7,060 of 8,192 tokens, 1 cut/ }).waitFor();
  });

  it("open to their turns", async () => {
    const { page } = await show(busyScene());
    await page.getByRole("button", { name: /open-webui/ }).click();
    const rows = page.locator(".turns tbody tr");
    await vi.waitFor(async () => expect(await rows.count()).toBe(12));
    expect(await rows.first().innerText()).toMatch(/^12\s/);
    expect(await rows.nth(3).innerText()).toContain("prompt cut");
    await page.getByText("Give the prompt cache 2 GiB").first().waitFor();
  });

  it("make room for what is opened, and the chart stays as tall as it was", async () => {
    const { page } = await show(busyScene());
    const heightOf = async (selector: string) =>
      (await page.locator(selector).first().boundingBox())?.height ?? 0;
    const before = await heightOf(".memory .canvas");
    await page.getByRole("button", { name: /open-webui/ }).click();
    await page.locator(".turns tbody tr").first().waitFor();
    const list = await heightOf(".chats ul.scroll");
    expect(list).toBeGreaterThan(await heightOf(".chats .turns"));
    expect(list).toBeGreaterThan(await heightOf(".chats .remedies"));
    expect(await heightOf(".memory .canvas")).toBeLessThan(before * 1.3);
  });

  it("of clients on their own account are left out, as are those without a turn", async () => {
    const scene = busyScene();
    const conversation = { id: "x", startedAt: 1, lastAt: 2, turnCount: 1, notices: [] };
    const conversations = [
      { ...conversation, purpose: "title" as const },
      { ...conversation, id: "y", turnCount: 0 },
    ];
    const { page } = await show({ ...scene, snapshot: (now) => ({ ...busySnapshot(now), conversations }) });
    await page.getByText("A chat appears here with its first turn.").waitFor();
  });
});
