import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Exchange } from "../../src/types.ts";
import { launchBrowser, openPage } from "./support/browser.ts";
import type { PageServer, Scene } from "./support/pageServer.ts";
import { startPageServer } from "./support/pageServer.ts";
import {
  busySnapshot,
  decodingExchange,
  emptySnapshot,
  endedExchange,
  healthy,
  sampleAt,
  samplesUntil,
} from "./support/scenes.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const desktop = { width: 1280, height: 720 };
const phone = { width: 360, height: 740 };

let browser: Browser;
let server: PageServer | undefined;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await server?.close();
  server = undefined;
});

function busyScene(): Scene {
  const now = Date.now();
  const ended = Array.from({ length: 130 }, (_, index) => endedExchange(index, now));
  return { snapshot: busySnapshot, ended, samples: samplesUntil(now) };
}

function emptyScene(): Scene {
  return { snapshot: emptySnapshot, ended: [], samples: samplesUntil(Date.now()) };
}

async function show(scene: Scene, view = desktop, colorScheme: "dark" | "light" = "dark") {
  server = await startPageServer(scene);
  const opened = await openPage(browser, server.url, { ...view, colorScheme });
  await opened.page.getByText("live", { exact: true }).waitFor();
  return { ...opened, server };
}

const textOf = (page: Page, selector: string): Promise<string> => page.locator(selector).innerText();

describe("the page", () => {
  it("says in one sentence whether memory is safe, and in one word what goes on", async () => {
    const { page, complaints } = await show(busyScene());
    expect(await textOf(page, ".sentence")).toMatch(/^\d+\.\d of 16 GiB used · \d\.\d GiB before swap$/);
    expect(await textOf(page, ".badge")).toBe("decoding");
    expect(await page.title()).toMatch(/^decoding · .* before swap – Plimsoll$/);
    expect(complaints).toEqual([]);
  });

  it("shows everything vital above the fold at 1280×720", async () => {
    const { page } = await show(busyScene());
    for (const selector of [".verdict", ".memory", ".now", ".models", ".exchanges tbody tr:nth-child(4)"]) {
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

  it("shows what Ollama claims beside what was measured", async () => {
    const { page } = await show(busyScene());
    const model = page.locator(".models li").first();
    expect(await model.innerText()).toMatch(/Measured\s+5\.3 GiB[\s\S]*1\.5 GiB mapped[\s\S]*Ollama says\s+3\.7 GiB/);
    expect(await model.innerText()).toMatch(/8,192\s+× 2 slots, f16 cache/);
  });

  it("says where figures come from, also to those who do not see the marks", async () => {
    const { page } = await show(busyScene());
    const headings = page.getByRole("columnheader");
    expect(await headings.filter({ hasText: "tok/s" }).getByRole("img").getAttribute("aria-label")).toBe("derived");
    expect(await headings.filter({ hasText: "Input" }).getByRole("img").getAttribute("aria-label")).toBe("measured");
  });

  it("asks nothing of any other host", async () => {
    const { requests, server } = await show(busyScene());
    const { host } = new URL(server.url);
    expect(requests.length).toBeGreaterThan(4);
    expect(requests.map((url) => new URL(url).host)).toEqual(requests.map(() => host));
  });

  it("weighs at most 45 kB in all, packed", async () => {
    const { requests } = await show(busyScene());
    const files = requests.filter((url) => url.endsWith("/plimsoll/") || url.includes("/assets/"));
    expect(files.length).toBeGreaterThanOrEqual(3);
    let bytes = 0;
    for (const url of files) bytes += gzipSync(await (await fetch(url)).text(), { level: 9 }).length;
    expect(bytes).toBeLessThanOrEqual(45_000);
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

describe("live", () => {
  it("shows an exchange from its first token to its row in the table", async () => {
    const { page, server } = await show(emptyScene());
    const now = Date.now();
    server.live.publishExchange({ ...decodingExchange(now), contentChunkCount: 41 });
    const row = page.locator(".live li");
    await row.waitFor();
    expect(await row.innerText()).toMatch(/gemma3:4b\s+open-webui[\s\S]*decoding[\s\S]*41 tokens/);
    expect(await row.innerText()).toContain("7,602 / 8,192");
    server.live.publishExchange({ ...endedExchange(0, now), id: "live-1" });
    await page.locator(".exchanges tbody tr").waitFor();
    expect(await page.locator(".live li").count()).toBe(0);
    expect(await textOf(page, ".exchanges tbody tr")).toContain("7,400");
  });

  it("moves the sentence with each sample", async () => {
    const { page, server } = await show(emptyScene());
    const sample = { ...sampleAt(Date.now(), 599), headroomBytes: -(1024 ** 3) };
    server.live.publishSample(sample);
    await page.getByText("1 GiB past the load line").waitFor();
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
    server = await startPageServer(scene, { port });
    await page.getByText("live", { exact: true }).waitFor();
    await page.getByText(/No samples from \d\d:\d\d:\d\d to \d\d:\d\d:\d\d/).waitFor();
  });
});

describe("the record", () => {
  it("is read page by page, back and forth", async () => {
    const { page } = await show(busyScene());
    const first = page.locator(".exchanges tbody tr").first();
    const newest = await first.innerText();
    const older = page.getByRole("button", { name: "Older" });
    const newer = page.getByRole("button", { name: "Newer" });
    expect(await newer.isDisabled()).toBe(true);
    await older.click();
    await vi.waitFor(async () => expect(await first.innerText()).not.toBe(newest));
    await older.click();
    await vi.waitFor(async () => expect(await page.locator(".exchanges tbody tr").count()).toBe(30));
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
      const exchanges = names.map((model, index) => ({ ...decodingExchange(now), id: `live-${index}`, model }));
      return { ...usual, exchanges, models: usual.models.map((model) => ({ ...model, name: long })) };
    };
    for (const view of [desktop, phone]) {
      const { page, complaints } = await show({ ...scene, ended, snapshot }, view);
      await page.locator(".exchanges tbody tr").first().waitFor();
      expect(await page.title()).not.toBe("owned");
      expect(await page.locator("main img").count()).toBe(0);
      expect(await page.getByText(html).count()).toBeGreaterThan(0);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(view.width);
      expect(complaints).toEqual([]);
      await server?.close();
    }
  });
});

describe("narrow and wide", () => {
  it.each([360, 768, 1280, 1920, 3840])("nothing sticks out at %d px", async (width) => {
    const { page } = await show(busyScene(), { width, height: 800 });
    await page.locator(".uplot canvas").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
  });
});

describe("keyboard", () => {
  it("moves the chart's cursor, and the moment is said", async () => {
    const { page } = await show(busyScene());
    const chart = page.getByRole("slider");
    await chart.focus();
    await page.keyboard.press("Home");
    await vi.waitFor(async () => expect(await chart.getAttribute("aria-valuenow")).toBe("0"));
    const start = await chart.getAttribute("aria-valuetext");
    expect(start).toMatch(/^\d\d:\d\d:\d\d: other programs \d\.\d GiB/);
    await page.keyboard.press("PageUp");
    await page.keyboard.press("ArrowRight");
    await vi.waitFor(async () => expect(await chart.getAttribute("aria-valuenow")).toBe("31"));
    await page.keyboard.press("Escape");
    await vi.waitFor(async () => expect(await textOf(page, ".memory .panel-head")).toContain("now"));
  });

  it("reaches every control in the order of the page", async () => {
    const { page } = await show(busyScene());
    const reached: string[] = [];
    for (let press = 0; press < 7; press += 1) {
      await page.keyboard.press("Tab");
      reached.push(await page.evaluate("document.activeElement.role ?? document.activeElement.innerText"));
    }
    expect(reached).toEqual(["Theme: auto", "10 min", "1 h", "24 h", "slider", "Figures as a table", "Older"]);
  });
});

describe("theme", () => {
  it("follows the system until it is chosen, and remembers the choice", async () => {
    const { page } = await show(busyScene(), desktop, "light");
    const background = () => page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    const light = await background();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.getByRole("button", { name: "Theme: auto" }).click();
    expect(await background()).toBe(light);
    await page.reload();
    await page.getByRole("button", { name: "Theme: light" }).click();
    expect(await background()).toBe(dark);
  });
});

describe("axe", () => {
  const cases = [desktop, phone].flatMap((view) => [
    { view, colorScheme: "dark" as const, scene: busyScene },
    { view, colorScheme: "light" as const, scene: busyScene },
    { view, colorScheme: "dark" as const, scene: emptyScene },
    { view, colorScheme: "light" as const, scene: emptyScene },
  ]);

  it.each(cases)("finds no violation ($colorScheme, $view.width px, $scene.name)", async ({ view, colorScheme, scene }) => {
    const { page } = await show(scene(), view, colorScheme);
    await page.getByText("Figures as a table").click();
    expect(await violations(page)).toEqual([]);
  });

  it.each(["dark", "light"] as const)("finds no violation on the login view (%s)", async (colorScheme) => {
    server = await startPageServer(busyScene(), { token: "s3cret" });
    const { page } = await openPage(browser, server.url, { ...phone, colorScheme });
    expect(await violations(page)).toEqual([]);
  });
});

describe("login", () => {
  it("is asked once, and then everything works by its cookie", async () => {
    server = await startPageServer(busyScene(), { token: "s3cret" });
    const { page } = await openPage(browser, server.url, desktop);
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Token").fill("s3cret");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("live", { exact: true }).waitFor();
    expect(await page.evaluate("document.cookie")).toBe("");
    expect(await page.locator(".exchanges tbody tr").count()).toBe(50);
  });

  it("is asked again when the token has changed under an open page", async () => {
    server = await startPageServer(busyScene(), { token: "first" });
    const port = Number(new URL(server.url).port);
    const { page } = await openPage(browser, server.url, desktop);
    await page.getByLabel("Token").fill("first");
    await page.keyboard.press("Enter");
    await page.getByText("live", { exact: true }).waitFor();
    await server.close();
    server = await startPageServer(busyScene(), { port, token: "second" });
    await page.getByLabel("Token").waitFor();
  });
});

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(`axe.run().then((result) =>
    result.violations.map((rule) => rule.id + ": " + rule.nodes.map((node) => node.target.join(" ")).join(", ")))`);
}
