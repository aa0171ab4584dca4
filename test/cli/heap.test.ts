/** V8's own limits, each time in a program of its own: they hold for a whole process. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const MIB = 1024 ** 2;

/** Lets much survive a while, as many answers in progress do, and says how large both generations became. */
const CHURN = `
const v8 = await import("node:v8");
const space = (name) => v8.getHeapSpaceStatistics().find((each) => each.space_name === name).space_size;
let kept = [];
let oldBytes = 0;
for (let step = 0; step < 1_500_000; step += 1) {
  kept.push({ step, values: new Array(10) });
  if (kept.length > 50_000) { kept = []; oldBytes = Math.max(oldBytes, space("old_space")); }
}
console.log(JSON.stringify({ youngBytes: space("new_space"), oldBytes }));
`;

interface Churned {
  youngBytes: number;
  oldBytes: number;
  said: string;
}

async function churnAfter(before: string): Promise<Churned> {
  const args = ["--input-type=module", "-e", before + CHURN];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  return { ...(JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Churned), said: stderr };
}

const source = (name: string): string => new URL(`../../src/${name}`, import.meta.url).href;

it("keeps both generations small, where V8 by itself lets them grow", async () => {
  const limited = await churnAfter(
    `const { keepHeapSmall } = await import("${source("cli/heap.ts")}"); keepHeapSmall();`,
  );
  const free = await churnAfter("");
  expect(limited.youngBytes).toBeLessThanOrEqual(16 * MIB);
  expect(free.youngBytes).toBeGreaterThan(32 * MIB);
  expect(limited.oldBytes + limited.youngBytes).toBeLessThan((free.oldBytes + free.youngBytes) / 2);
  // A setting that this V8 does not know would be complained of there, at each start.
  expect(limited.said).toBe("");
});

it("does so in the program, whatever its command", async () => {
  const { youngBytes } = await churnAfter(
    `process.argv.push("plimsoll", "--version"); await import("${source("main.ts")}");`,
  );
  expect(youngBytes).toBeLessThanOrEqual(16 * MIB);
});

it("lets the young generation grow again when work comes after a rest", async () => {
  const { youngBytes } = await churnAfter(`
    const { keepHeapSmall } = await import("${source("cli/heap.ts")}");
    keepHeapSmall();
    const { getHeapSpaceStatistics, setFlagsFromString } = await import("node:v8");
    setFlagsFromString("--expose-gc");
    // At rest V8 gives memory back in its own time; this asks for it at once.
    (await import("node:vm")).runInNewContext("gc")({ type: "major", execution: "sync", flavor: "last-resort" });
    const { space_size } = getHeapSpaceStatistics().find((each) => each.space_name === "new_space");
    if (space_size > 8 * ${MIB}) throw new Error("it did not shrink, so that this shows nothing");
    for (const endsAt = Date.now() + 2500; Date.now() < endsAt; await new Promise(setImmediate)) {
      JSON.stringify(process.versions);
    }
  `);
  expect(youngBytes).toBeGreaterThan(8 * MIB);
  expect(youngBytes).toBeLessThanOrEqual(16 * MIB);
});
