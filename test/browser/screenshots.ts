/** Makes the pictures in docs/images from the demo: `npm run screenshots`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "./support/browser.ts";

/** The demo tells its story in less than this. */
const STORY_MS = 200_000;
const FOLDER = "docs/images";

const views = [
  { name: "page", hash: "", width: 1280, height: 720 },
  { name: "what-if", hash: "#what-if", width: 1280, height: 800 },
  { name: "alerts", hash: "#alerts", width: 1280, height: 800 },
] as const;

const demo = spawn(process.execPath, ["dist/server/main.js", "demo", "--listen", "127.0.0.1:0"], {
  stdio: ["ignore", "ignore", "pipe"],
});
let said = "";
demo.stderr.on("data", (chunk) => (said += chunk));
while (!/page +(\S+)/.test(said)) {
  await once(demo.stderr, "data");
}
const url = /page +(\S+)/.exec(said)?.[1] ?? "";
const startedAt = Date.now();
await mkdir(FOLDER, { recursive: true });
const browser = await launchBrowser();
try {
  console.log(`The demo runs at ${url}; its story takes up to ${STORY_MS / 1000} s.`);
  const watch = await open(browser, "", { width: 1280, height: 720, colorScheme: "dark" });
  // The moment to show: a chat over its cliff, memory short, and the warning before anything is swapped.
  await watch.locator('.alert[data-level="warn"]').waitFor({ timeout: STORY_MS });
  await watch.waitForTimeout(6000);
  await watch.close();
  // The page in both colours first: a few moments later the machine swaps.
  for (const { name, hash, width, height } of views) {
    for (const colorScheme of ["dark", "light"] as const) {
      await take(`${name}-${colorScheme}`, hash, { width, height, colorScheme });
    }
  }
  await take("page-narrow", "", { width: 360, height: 780, colorScheme: "dark" });
} finally {
  await browser.close();
  demo.kill("SIGTERM");
  await once(demo, "close");
}
console.log(`Done after ${Math.round((Date.now() - startedAt) / 1000)} s.`);

type Look = { width: number; height: number; colorScheme: "dark" | "light" };

async function take(name: string, hash: string, look: Look): Promise<void> {
  const page = await open(browser, hash, look);
  const path = `${FOLDER}/${name}.png`;
  await page.screenshot({ path });
  await page.close();
  console.log(path);
}

async function open(from: Browser, hash: string, { width, height, colorScheme }: Look): Promise<Page> {
  const page = await from.newPage({ viewport: { width, height }, colorScheme });
  await page.goto(url + hash);
  await page.waitForTimeout(1500);
  return page;
}
