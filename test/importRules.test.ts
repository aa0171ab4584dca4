/** "Who may import whom" in ARCHITECTURE.md, as lint holds it: an import that turns back is planted, and refused. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";

const TURNING_BACK: [file: string, imported: string][] = [
  ["src/types.ts", "./ids.ts"],
  ["src/predict/x.ts", "../ollama/client.ts"],
  ["src/predict/x.ts", "../config.ts"],
  ["src/ollama/x.ts", "../predict/fit.ts"],
  ["src/store/x.ts", "../models/names.ts"],
  ["src/proxy/x.ts", "../store/client.ts"],
  ["src/proxy/x.ts", "../app.ts"],
  ["src/memory/x.ts", "../models/watch.ts"],
  ["src/models/x.ts", "../chats/chats.ts"],
  ["src/predictions/x.ts", "../models/names.ts"],
  ["src/chats/x.ts", "../predictions/ask.ts"],
  ["src/advice/x.ts", "../chats/chats.ts"],
  ["src/alerts/x.ts", "../memory/sampler.ts"],
  ["src/alerts/guard/x.ts", "../../models/watch.ts"],
  ["src/alerts/channels/x.ts", "../../config.ts"],
  ["src/dashboard/x.ts", "../store/client.ts"],
  ["src/dashboard/x.ts", "../predict/fit.ts"],
  ["src/demo/x.ts", "../ollama/usage.ts"],
  ["src/demo/server/x.ts", "../../ollama/usage.ts"],
  ["web/x.ts", "../src/predict/fit.ts"],
  ["web/views/x.tsx", "../../src/config.ts"],
];

const GOING_ON: [file: string, imported: string][] = [
  ["src/predict/y.ts", "../types.ts"],
  ["src/proxy/y.ts", "../ollama/usage.ts"],
  ["src/alerts/y.ts", "./guard/guard.ts"],
  ["src/alerts/guard/y.ts", "../words.ts"],
  ["src/alerts/guard/y2.ts", "../../predict/fit.ts"],
  ["src/demo/server/y.ts", "../engine/runner.ts"],
  ["src/demo/server/y2.ts", "../../types.ts"],
  ["src/cli/y.ts", "../store/client.ts"],
  ["web/views/y.tsx", "../../src/types.ts"],
  ["web/views/y2.tsx", "../format.ts"],
];

const folder = mkdtempSync(join(tmpdir(), "plimsoll-imports-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The files in which lint refuses an import. */
function refused(planted: readonly [file: string, imported: string][]): string[] {
  for (const [file, imported] of planted) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `import { x } from "${imported}";\nexport const y = x;\n`);
  }
  return refusedBy("no-restricted-imports");
}

/** The files in which lint refuses something by this rule. */
function refusedBy(rule: string): string[] {
  copyFileSync(".oxlintrc.json", join(folder, ".oxlintrc.json"));
  try {
    execFileSync(resolve("node_modules/.bin/oxlint"), ["--format", "unix", "."], { cwd: folder });
    return [];
  } catch (error) {
    const { stdout } = error as { stdout: Buffer };
    return stdout
      .toString()
      .split("\n")
      .filter((line) => line.includes(rule))
      .map((line) => line.split(":")[0] ?? "");
  }
}

it.each(TURNING_BACK)("%s does not import %s", (file, imported) => {
  expect(refused([[file, imported]])).toEqual([file]);
  rmSync(join(folder, file));
});

it("what goes on its way is let through", () => {
  expect(refused(GOING_ON)).toEqual([]);
});

it("a circle is refused", () => {
  writeFileSync(
    join(folder, "src/proxy/one.ts"),
    'import { two } from "./two.ts";\nexport const one = (): unknown => two;\n',
  );
  writeFileSync(
    join(folder, "src/proxy/two.ts"),
    'import { one } from "./one.ts";\nexport const two = (): unknown => one;\n',
  );
  expect(refusedBy("no-cycle").toSorted()).toEqual(["src/proxy/one.ts", "src/proxy/two.ts"]);
});
