import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { describe, expect, it, vi } from "vitest";
import { busyScene, desktop, emptyScene, phone, textOf, useBrowser } from "./support/harness.ts";
import { askedScene } from "./support/whatIfScene.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const { open, serve, show } = useBrowser();

describe("axe", () => {
  const cases = [desktop, phone].flatMap((view) => [
    { view, colorScheme: "dark" as const, scene: busyScene },
    { view, colorScheme: "light" as const, scene: busyScene },
    { view, colorScheme: "dark" as const, scene: emptyScene },
    { view, colorScheme: "light" as const, scene: emptyScene },
  ]);

  it.each(cases)(
    "finds no violation ($colorScheme, $view.width px, $scene.name)",
    async ({ view, colorScheme, scene }) => {
      const { page } = await show(scene(), view, colorScheme);
      await page.getByText("Figures as a table").click();
      expect(await violations(page)).toEqual([]);
    },
  );

  const tabs = ["dark", "light"] as const;
  it.each(tabs.flatMap((colorScheme) => [desktop, phone].map((view) => ({ colorScheme, view }))))(
    "finds no violation on any tab, nor while there is a warning ($colorScheme, $view.width px)",
    async ({ view, colorScheme }) => {
      const { page } = await show(askedScene(), view, colorScheme);
      await page.getByRole("alert").waitFor();
      await page.getByText("Columns", { exact: true }).click();
      await page.getByRole("button", { name: /open-webui/ }).click();
      await page.locator(".turns tbody tr").first().waitFor();
      await page.locator(".opens").first().click();
      expect(await violations(page)).toEqual([]);
      await page.getByRole("link", { name: "What if" }).click();
      await page.locator(".field").waitFor();
      expect(await violations(page)).toEqual([]);
      await page.getByRole("link", { name: "Alerts and advice" }).click();
      await page.locator(".advice li").first().waitFor();
      expect(await violations(page)).toEqual([]);
    },
  );

  it.each(["dark", "light"] as const)("finds no violation on the login view (%s)", async (colorScheme) => {
    const server = await serve(busyScene(), { token: "s3cret" });
    const { page } = await open(server.url, phone, colorScheme);
    expect(await violations(page)).toEqual([]);
  });
});

describe("keyboard", () => {
  it("moves the chart's cursor, and the moment is said", async () => {
    const { page } = await show(busyScene());
    const chart = page.getByRole("slider", { name: "Moment shown, arrow keys move it" });
    await chart.focus();
    await page.keyboard.press("Home");
    await vi.waitFor(async () => expect(await chart.getAttribute("aria-valuenow")).toBe("0"));
    const start = await chart.getAttribute("aria-valuetext");
    expect(start).toMatch(/^\d\d:\d\d:\d\d: other programs \d\.\d GiB/);
    await page.keyboard.press("PageUp");
    await page.keyboard.press("ArrowRight");
    await vi.waitFor(async () => expect(await chart.getAttribute("aria-valuenow")).toBe("31"));
    await page.keyboard.press("Escape");
    await vi.waitFor(async () => expect(await textOf(page, ".memory .head")).toContain("now"));
  });

  it("reaches every control in the order of the page", async () => {
    const { page } = await show(busyScene());
    const reached: string[] = [];
    for (let press = 0; press < 24; press += 1) {
      await page.keyboard.press("Tab");
      reached.push(
        await page.evaluate(`(() => {
          const { ariaLabel, role, placeholder, innerText } = document.activeElement;
          return (role === "slider" ? role : placeholder || ariaLabel || innerText).split("\\n")[0];
        })()`),
      );
    }
    expect(reached).toEqual([
      "Overview",
      "What if",
      "Alerts and advice",
      "Theme: auto",
      "10 min",
      "1 h",
      "24 h",
      "30 d",
      "slider",
      "Figures as a table",
      "Cancel gemma3:4b",
      "Cancel gemma3:4b",
      "open-webui",
      "openai-js",
      "Filter",
      "Columns",
      "CSV",
      "Loads CSV",
      "Older",
      ...reached.slice(19),
    ]);
    expect(reached[19]).toMatch(/^\d\d:\d\d:\d\d$/);
  });
});

describe("narrow and wide", () => {
  it.each([360, 768, 1280, 1920, 3840])("nothing sticks out at %d px, on any tab", async (width) => {
    const { page } = await show(askedScene(), { width, height: 800 });
    await page.locator(".uplot canvas").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    await page.getByRole("link", { name: "What if" }).click();
    await page.locator(".field").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    await page.getByRole("link", { name: "Alerts and advice" }).click();
    await page.locator(".advice li").first().waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
  });

  it("wraps an alert at 360 px, however long what there is to copy", async () => {
    const scene = askedScene();
    const snapshot = (now: number) => {
      const [episode] = scene.snapshot(now).episodes;
      const commands = [{ platform: "any" as const, text: "sudo systemctl edit ollama ".repeat(9) }];
      const remedies = [{ id: "long", text: "Bound the prompt cache", commands }];
      return { ...scene.snapshot(now), episodes: episode ? [{ ...episode, remedies }] : [] };
    };
    const { page } = await show({ ...scene, snapshot }, { width: 360, height: 800 });
    const alert = page.getByRole("alert");
    await alert.waitFor();
    for (const part of [alert, alert.locator("p"), alert.locator("code"), alert.getByRole("button")]) {
      const box = await part.boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? Infinity)).toBeLessThanOrEqual(360);
    }
  });

  it("lets no row lie over another at 360 px", async () => {
    const { page } = await show(askedScene(), phone);
    const boxes = [];
    for (const selector of [".verdict", ".memory", ".now", ".chats", ".record", ".accuracy", ".models"])
      boxes.push(await page.locator(selector).boundingBox());
    const tops = boxes.map((box) => box?.y ?? 0);
    expect(tops).toEqual(tops.toSorted((a, b) => a - b));
    for (const [index, box] of boxes.entries())
      expect(tops[index + 1] ?? Infinity).toBeGreaterThanOrEqual((box?.y ?? 0) + (box?.height ?? 0));
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

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(`axe.run().then((result) =>
    result.violations.map((rule) => rule.id + ": " + rule.nodes.map((node) => node.target.join(" ")).join(", ")))`);
}
