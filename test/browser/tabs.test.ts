import { describe, expect, it, vi } from "vitest";
import { busyScene, textOf, useBrowser, warnedScene } from "./support/harness.ts";
import { askedScene } from "./support/whatIfScene.ts";

const { show } = useBrowser();

describe("what if", () => {
  it("answers for the chosen context, and the answer moves with the slider", async () => {
    const asked: Record<string, string>[] = [];
    const { page, complaints } = await show(askedScene(asked));
    await page.getByRole("link", { name: "What if" }).click();
    await page.getByText("The sum").waitFor();
    expect(await textOf(page, ".answer")).toMatch(/3\.6 GiB.*✓ fits[\s\S]*Largest context that fits: 49,152/);
    const slider = page.locator(".knobs").getByRole("slider");
    await slider.focus();
    await page.keyboard.press("End");
    await vi.waitFor(() =>
      expect(asked).toContainEqual({
        model: "gemma3:4b",
        contextLength: "65536",
        kvCacheTypeK: "f16",
        kvCacheTypeV: "f16",
        parallel: "1",
      }),
    );
    await page.getByLabel("KV cache").selectOption("q8_0");
    await vi.waitFor(() => expect(asked.at(-1)).toMatchObject({ kvCacheTypeK: "q8_0" }));
    expect(complaints).toEqual([]);
  });

  it("shows the whole field, marks the largest that fits, and takes over what is chosen there", async () => {
    const { page } = await show(askedScene());
    await page.goto(`${page.url()}#what-if`);
    const cell = page.locator(".field tbody tr").filter({ hasText: "32,768" }).locator("td").nth(4);
    expect(await cell.innerText()).toMatch(/5 ~\s*▲/);
    await cell.getByRole("button").click();
    expect(await page.getByLabel("KV cache").inputValue()).toBe("q8_0");
    expect(await page.getByLabel("Slots", { exact: true }).inputValue()).toBe("2");
    expect(await textOf(page, ".knobs output")).toBe("32,768");
  });

  it("asks for no more context than the model was trained for", async () => {
    const scene = askedScene();
    const fit = { verdict: "fits" };
    const cell = { contextLength: 2048, kvCacheType: "f16", totalBytes: 1, kvCacheBytes: 1, fit };
    const answers = { ...scene.answers, "POST /plimsoll/api/predict/table": () => ({ cells: [cell] }) };
    const { page } = await show({ ...scene, answers });
    await page.getByRole("link", { name: "What if" }).click();
    await vi.waitFor(async () => expect(await textOf(page, ".knobs output")).toBe("2,048"));
  });

  it("names what other file types lose, with the source, and every model", async () => {
    const { page } = await show(askedScene());
    await page.getByRole("link", { name: "What if" }).click();
    await page.getByText("Loss as measured of LLaMA 3 8B: a table.").waitFor();
    await page.getByText("+2.8 % perplexity").first().waitFor();
    await page.getByRole("row", { name: /llama3\.1:8b/ }).waitFor();
  });

  it("says what is wrong in the server's words", async () => {
    const scene = askedScene();
    const { page } = await show({
      ...scene,
      answers: { "GET /api/tags": () => ({ models: [] }) },
      snapshot: (now) => ({ ...scene.snapshot(now), models: [] }),
    });
    await page.getByRole("link", { name: "What if" }).click();
    await page.getByText("Ollama has no model yet").waitFor();
  });
});

describe("alerts and advice", () => {
  it("lists alerts with lead and outcome, and advice with the text to copy", async () => {
    const { page } = await show(warnedScene());
    await page.getByRole("link", { name: "Alerts and advice" }).click();
    const episodes = page.locator(".episodes li[data-level]");
    await vi.waitFor(async () => expect(await episodes.count()).toBe(2));
    expect(await episodes.nth(0).innerText()).toMatch(/^warn .*open for \d+ s: still open/);
    expect(await episodes.nth(1).innerText()).toMatch(
      /^swapping .*lasted 3 min 20 s: swap came, warned 41 s before[\s\S]*By prompt cache 1\.4 GiB\. At worst 0\.2 GiB past the load line\./,
    );
    expect(await textOf(page, ".advice")).toMatch(/each throws out the other's runner\. Saves 42 s\./);
    await page.locator(".advice").getByRole("button", { name: "Copy LLAMA_ARG_CACHE_RAM=2048" }).waitFor();
  });

  it("starts a drill and tries the channels, and says how that went", async () => {
    const asked: string[] = [];
    const scene = busyScene();
    scene.answers = {
      ...scene.answers,
      "POST /plimsoll/api/drill": () => {
        asked.push("drill");
        return { drill: { seconds: 41, speed: 4 } };
      },
      "POST /plimsoll/api/alerts/test": () => {
        asked.push("test");
        return {
          test: [
            { channel: "desk", delivered: true },
            { channel: "phone", delivered: false, problem: "no answer" },
          ],
        };
      },
    };
    const { page } = await show(scene);
    await page.getByRole("link", { name: "Alerts and advice" }).click();
    await page.getByRole("button", { name: "Start a drill" }).click();
    await page.getByText(/^The drill runs for 41 s/).waitFor();
    await page.getByRole("button", { name: "Send a test message" }).click();
    await page.getByText("desk: delivered; phone: no answer").waitFor();
    expect(asked).toEqual(["drill", "test"]);
  });
});
