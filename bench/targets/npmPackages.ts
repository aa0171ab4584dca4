/** Two peers that live on npm. They are no dependencies of ours: they are installed for one run, outside the repository. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../machine/port.ts";
import { startProgram } from "../machine/program.ts";
import type { Launched, LaunchParts } from "./target.ts";

const VERSIONS = { "http-proxy": "1.18.1", "@portkey-ai/gateway": "1.15.2" };
/** From 1.14.2 on, Portkey answers every stream with "TypeError: immutable" (Portkey-AI/gateway#1389). */
const OVERRIDES = { "@hono/node-server": "1.14.1" };
const INSTALL_LIMIT_MS = 180_000;

/** Installs both into a folder. Throws with npm's own words when that fails, e.g. without a network. */
export function installPackages(directory: string): void {
  const manifest = { private: true, dependencies: VERSIONS, overrides: OVERRIDES };
  writeFileSync(join(directory, "package.json"), JSON.stringify(manifest));
  const { status, stderr, error } = spawnSync(
    "npm",
    ["install", "--prefix", directory, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    { encoding: "utf8", timeout: INSTALL_LIMIT_MS },
  );
  if (status !== 0) {
    throw new Error(`npm could not install it: ${error?.message ?? stderr.trim()}`);
  }
}

export interface PackageParts extends LaunchParts {
  /** Where `installPackages` put them. */
  packages: string;
}

export async function launchHttpProxy(
  parts: PackageParts & { nodeArguments?: readonly string[]; environment?: Record<string, string> },
): Promise<Launched> {
  const port = await freePort();
  const script = fileURLToPath(new URL("../httpProxyTarget.ts", import.meta.url));
  const program = await startProgram({
    command: process.execPath,
    args: [...(parts.nodeArguments ?? []), script, parts.packages, String(port), String(parts.upstreamPort)],
    environment: parts.environment,
    port,
  });
  return {
    name: "http-proxy",
    label: "http-proxy on bare Node",
    version: VERSIONS["http-proxy"],
    port,
    fields: [],
    dialects: ["ollama", "openai"],
    ...program,
  };
}

export async function launchPortkey(parts: PackageParts): Promise<Launched> {
  const port = await freePort();
  const preload = new URL("../loopbackPreload.ts", import.meta.url).href;
  const server = join(parts.packages, "node_modules/@portkey-ai/gateway/build/start-server.js");
  const program = await startProgram({
    command: process.execPath,
    args: ["--import", preload, server, `--port=${port}`, "--headless"],
    port,
    directory: parts.directory,
  });
  return {
    name: "portkey",
    label: "Portkey gateway",
    version: VERSIONS["@portkey-ai/gateway"],
    port,
    fields: [
      "Authorization: Bearer bench",
      "x-portkey-provider: openai",
      `x-portkey-custom-host: http://127.0.0.1:${parts.upstreamPort}/v1`,
    ],
    dialects: ["openai"],
    ...program,
  };
}
