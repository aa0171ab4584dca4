import { existsSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { chromium } from "playwright-core";

/** The system's Chromium; `PLIMSOLL_CHROMIUM` names another. */
const executablePath = process.env["PLIMSOLL_CHROMIUM"] ?? "/usr/bin/chromium";

export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(`There is no Chromium at ${executablePath}: install it or name it in PLIMSOLL_CHROMIUM.`);
  }
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
  ];
  return chromium.launch({ executablePath, args });
}

export interface OpenPage {
  page: Page;
  /** Every address the page asked for. */
  requests: string[];
  /** The type of every live message, those the page sent marked with `>`. */
  frames: string[];
  /** Errors and what the content policy refused. */
  complaints: string[];
}

export interface View {
  width: number;
  height: number;
  colorScheme?: "dark" | "light";
}

/** Opens an address in a window of its own and waits until the page has drawn itself. */
export async function openPage(browser: Browser, url: string, view: View): Promise<OpenPage> {
  const { width, height, colorScheme = "dark" } = view;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  const requests: string[] = [];
  const frames: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("websocket", (socket) => {
    requests.push(socket.url());
    socket.on("framereceived", ({ payload }) => frames.push(typeOf(payload)));
    socket.on("framesent", ({ payload }) => frames.push(`>${typeOf(payload)}`));
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  await page.goto(url);
  return { page, requests, frames, complaints };
}

function typeOf(payload: string | Buffer): string {
  return (JSON.parse(payload.toString()) as { type: string }).type;
}
