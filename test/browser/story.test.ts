import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { desktop, useBrowser } from "./support/harness.ts";

const { open } = useBrowser();
const program = fileURLToPath(new URL("../../dist/server/main.js", import.meta.url));
const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

/** The demo as people start it. */
async function startDemo(): Promise<string> {
  const demo = spawn(process.execPath, [program, "demo", "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  endings.push(async () => {
    demo.kill("SIGTERM");
    await once(demo, "close");
  });
  let said = "";
  demo.stderr.on("data", (chunk) => (said += chunk));
  while (!/page +\S+/.test(said)) await once(demo.stderr, "data");
  return /page +(\S+)/.exec(said)?.[1] ?? "";
}

/** What each moment of the story looks like on the page. */
const moments: [name: string, seen: string][] = [
  ["a chat grows", `document.querySelectorAll(".chats .spark .fill").length > 0`],
  [
    "a prediction beside the actual",
    `[...document.querySelectorAll(".ledger td.first")].some((cell) =>
    cell.innerText && cell.nextSibling.innerText && cell.nextSibling.nextSibling.innerText)`,
  ],
  ["the cliff announced", `document.querySelector('.cliff[data-state="ahead"]') !== null`],
  ["the cliff reached", `document.querySelector('.cliff[data-state="reached"]') !== null`],
  ["a cut", `document.querySelector(".ledger .notice.serious") !== null`],
  ["a warning with its fix", `document.querySelector(".alert .remedies") !== null`],
  ["swap", `document.querySelector('.badge[data-state="swapping"]') !== null`],
  [
    "the episode's end",
    `/ended at .*: swap came, warned/.test(document.querySelector(".afterwards")?.innerText)`,
  ],
];

describe("the demo", () => {
  it(
    "tells its story on the page within three minutes, in the right order",
    { timeout: 260_000 },
    async () => {
      const { page, complaints } = await open(await startDemo(), desktop);
      const startedAt = Date.now();
      const seenAt = new Map<string, number>();
      // A busy machine is a little behind the demo's own clock.
      while (seenAt.size < moments.length && Date.now() - startedAt < 230_000) {
        for (const [name, seen] of moments) {
          if (!seenAt.has(name) && (await page.evaluate(seen))) seenAt.set(name, Date.now() - startedAt);
        }
        await page.waitForTimeout(250);
      }
      expect([...seenAt.keys()].toSorted()).toEqual(moments.map(([name]) => name).toSorted());
      const at = (name: string): number => seenAt.get(name) ?? Number.NaN;
      expect(at("the cliff announced")).toBeLessThan(at("the cliff reached"));
      expect(at("a warning with its fix")).toBeLessThan(at("swap"));
      expect(at("swap")).toBeLessThan(at("the episode's end"));
      expect(at("the episode's end")).toBeLessThan(200_000);
      expect(complaints).toEqual([]);
    },
  );
});
