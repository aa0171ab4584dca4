/** Makes the pictures in docs/images from the demo: `npm run screenshots`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { launchBrowser } from "./support/browser.ts";

/** Long enough for the demo's long chat to have gone over its cliff. */
const STORY_MS = 110_000;

const demo = spawn(process.execPath, ["dist/server/main.js", "demo", "--listen", "127.0.0.1:0"], {
  stdio: ["ignore", "ignore", "pipe"],
});
let said = "";
demo.stderr.on("data", (chunk) => (said += chunk));
while (!/page +(\S+)/.test(said)) {
  await once(demo.stderr, "data");
}
const url = /page +(\S+)/.exec(said)?.[1] ?? "";
console.log(`The demo runs at ${url}; its story takes ${STORY_MS / 1000} s.`);
await new Promise((resolve) => setTimeout(resolve, STORY_MS));
await mkdir("docs/images", { recursive: true });
const browser = await launchBrowser();
for (const [name, colorScheme, width, height] of [
  ["page-dark", "dark", 1280, 720],
  ["page-light", "light", 1280, 720],
  ["page-narrow", "dark", 360, 780],
] as const) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  await page.goto(url);
  await page.waitForTimeout(2500);
  await page.screenshot({ path: `docs/images/${name}.png` });
  await page.close();
  console.log(`docs/images/${name}.png`);
}
await browser.close();
demo.kill("SIGTERM");
await once(demo, "close");
