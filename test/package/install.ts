/**
 * Packs Plimsoll, installs the package into an empty folder as a stranger would, and runs it by `npx`:
 * `npm run test:package`. Takes the dependencies from the registry, so it is no part of `npm test`.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(path.join(os.tmpdir(), "plimsoll-package-"));
const home = path.join(folder, "home");
const project = path.join(folder, "project");
/** An empty home and no settings of the user's own Plimsoll, but the way to the registry stays as it is here. */
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PLIMSOLL_"))),
  // The Node that runs this comes first: an older one on the path would be refused, which is right, but no test.
  PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env["PATH"]}`,
  HOME: home,
  npm_config_cache: process.env["npm_config_cache"] ?? path.join(os.homedir(), ".npm"),
  npm_config_userconfig: process.env["npm_config_userconfig"] ?? path.join(os.homedir(), ".npmrc"),
};

function run(command: string, args: string[], cwd = project): string {
  process.stderr.write(`$ ${command} ${args.join(" ")}\n`);
  return execFileSync(command, args, {
    cwd,
    env: environment,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function demo(): Promise<void> {
  const child = spawn("npx", ["--no-install", "plimsoll", "demo", "--listen", "127.0.0.1:0"], {
    cwd: project,
    env: environment,
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  try {
    const deadline = Date.now() + 30_000;
    let url: string | undefined;
    while (url === undefined) {
      assert.ok(Date.now() < deadline && child.exitCode === null, `the demo did not start: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
      url = /clients +(http:\S+)/.exec(said)?.[1];
    }
    const page = await (await fetch(`${url}/plimsoll/`)).text();
    const script = /src="([^"]+\.js)"/.exec(page)?.[1];
    assert.ok(script, "the page names no script");
    assert.equal((await fetch(new URL(script, `${url}/plimsoll/`))).status, 200);
    assert.equal((await fetch(`${url}/plimsoll/readyz`)).status, 200);
    const chat = await fetch(`${url}/api/chat`, {
      method: "POST",
      body: JSON.stringify({
        model: "qwen2.5-coder:1.5b",
        stream: false,
        messages: [{ role: "user", content: "hi" }],
      }),
    });
    assert.equal(chat.status, 200);
    await chat.text();
    const { exchanges } = (await (await fetch(`${url}/plimsoll/api/exchanges`)).json()) as {
      exchanges: unknown[];
    };
    assert.ok(exchanges.length > 0, "nothing was recorded");
  } finally {
    process.kill(-(child.pid ?? 0), "SIGTERM");
  }
}

try {
  mkdirSync(home);
  mkdirSync(project);
  const packed =
    run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], ROOT).trim().split("\n").at(-1) ??
    "";
  writeFileSync(path.join(project, "package.json"), '{"name":"empty","private":true}\n');
  run("npm", ["install", "--no-audit", "--no-fund", path.join(folder, packed)]);
  assert.match(run("npx", ["--no-install", "plimsoll", "--version"]), /^\d+\.\d+\.\d+\n$/);
  assert.match(run("npx", ["--no-install", "plimsoll", "--help"]), /doctor/);
  assert.match(run("npx", ["--no-install", "plimsoll", "env"]), /OLLAMA_HOST/);
  assert.match(run("npx", ["--no-install", "plimsoll", "service", "install", "--dry-run"]), /dist/);
  await demo();
  const installed = readdirSync(path.join(project, "node_modules")).filter((name) => !name.startsWith("."));
  process.stdout.write(
    `good: ${packed} installs, starts, serves its page and records; ${installed.length} packages\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
