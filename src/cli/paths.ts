/** Where things lie: in the package and on this system. */
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import envPaths from "env-paths";

/** The package root: two folders up, from `src/cli` and from `dist/server/cli` one more. */
const here = path.dirname(fileURLToPath(import.meta.url));
const packageRoot = path.resolve(here, here.includes(`${path.sep}dist${path.sep}`) ? "../../.." : "../..");

export const PAGE_DIRECTORY = path.join(packageRoot, "dist", "web");
/** What services start: the emitted program. */
export const PROGRAM = path.join(packageRoot, "dist", "server", "main.js");
export const MIGRATIONS_DIRECTORY = path.join(packageRoot, "migrations");

export function readVersion(): string {
  const text = readFileSync(path.join(packageRoot, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** systemd's choice wins: under `DynamicUser=` nothing else is writable. */
export function defaultDataDir(environment: NodeJS.ProcessEnv): string {
  return environment["STATE_DIRECTORY"] ?? envPaths("plimsoll", { suffix: "" }).data;
}

/** systemd's choice wins here too. */
export function defaultConfigFile(environment: NodeJS.ProcessEnv): string {
  const folder = environment["CONFIGURATION_DIRECTORY"] ?? envPaths("plimsoll", { suffix: "" }).config;
  return path.join(folder, "config.json");
}

/** `~/x` as the shell would write it, for settings that no shell has seen. */
export function expandHome(text: string): string {
  return text === "~" || text.startsWith("~/") ? path.join(os.homedir(), text.slice(1)) : text;
}
