/**
 * Installs the client packages: npm's into this folder by its own lock file, PyPI's into a virtual environment in the
 * system's temporary folder. `--npm` or `--python` installs only those.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  FOLDER,
  npmIsInstalled,
  pythonFolder,
  pythonIsInstalled,
  pythonProgram,
  REQUIREMENTS,
} from "./support/installed.ts";

function run(command: string, args: string[]): void {
  process.stderr.write(`$ ${command} ${args.join(" ")}\n`);
  const { status, error } = spawnSync(command, args, {
    cwd: FOLDER,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (error !== undefined || status !== 0) {
    throw new Error(`${command} ${error === undefined ? `ended with ${status}` : error.message}`);
  }
}

const only = process.argv.slice(2);
if (!only.includes("--python") && !npmIsInstalled()) {
  run("npm", ["ci", "--no-audit", "--no-fund"]);
}
if (!only.includes("--npm") && !pythonIsInstalled()) {
  process.stderr.write(`Python clients: some 700 MB in ${pythonFolder()}; delete the folder when done.\n`);
  mkdirSync(pythonFolder(), { recursive: true });
  run("python3", ["-m", "venv", pythonFolder()]);
  run(pythonProgram(), [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "-r",
    REQUIREMENTS,
  ]);
  writeFileSync(path.join(pythonFolder(), "installed"), "");
}
