import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { NODE_FLAGS } from "../../src/cli/nodeFlags.ts";

const MIB = 1024 ** 2;
const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

it("are the same wherever we start Plimsoll", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const program = ["node", ...NODE_FLAGS, "dist/server/main.js"];
  expect(scripts["start"]).toBe(program.join(" "));
  expect(scripts["plimsoll"]).toBe(program.join(" "));
  expect(scripts["demo"]).toBe([...program, "demo"].join(" "));
  expect(read("docker/Dockerfile")).toContain(`ENTRYPOINT ${JSON.stringify(program).replaceAll(",", ", ")}`);
});

it("keep the young generation small, where V8 by itself lets it grow", async () => {
  const churn = `
    let kept = [];
    for (let step = 0; step < 1_500_000; step += 1) {
      kept.push({ step, values: new Array(10) });
      if (kept.length > 50_000) kept = [];
    }
    const spaces = require("node:v8").getHeapSpaceStatistics();
    console.log(spaces.find(({ space_name }) => space_name === "new_space").space_size);`;
  const youngBytes = async (flags: readonly string[]): Promise<number> => {
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, "-e", churn]);
    return Number(stdout);
  };
  expect(await youngBytes(NODE_FLAGS)).toBeLessThanOrEqual(16 * MIB);
  expect(await youngBytes([])).toBeGreaterThan(16 * MIB);
});
