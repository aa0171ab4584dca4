import { describe, expect, it } from "vitest";
import { busyScene, useBrowser } from "./support/harness.ts";

const { open, serve } = useBrowser();

describe("login", () => {
  it("is asked once, and then everything works by its cookie", async () => {
    const server = await serve(busyScene(), { token: "s3cret" });
    const { page } = await open(server.url);
    await page.getByLabel("Token", { exact: true }).fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Token", { exact: true }).fill("s3cret");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("live", { exact: true }).waitFor();
    expect(await page.evaluate("document.cookie")).toBe("");
    expect(await page.locator(".ledger tbody tr").count()).toBe(50);
  });

  it("is asked again when the token has changed under an open page", async () => {
    const first = await serve(busyScene(), { token: "first" });
    const port = Number(new URL(first.url).port);
    const { page } = await open(first.url);
    await page.getByLabel("Token", { exact: true }).fill("first");
    await page.keyboard.press("Enter");
    await page.getByText("live", { exact: true }).waitFor();
    await first.close();
    await serve(busyScene(), { port, token: "second" });
    await page.getByLabel("Token", { exact: true }).waitFor();
  });
});
