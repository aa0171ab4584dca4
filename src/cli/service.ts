/** `plimsoll service`: starts Plimsoll at login or with the machine, the way its system does that. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { dirname, resolve } from "node:path";
import { EXIT } from "./exit.ts";
import { NODE_FLAGS } from "./nodeFlags.ts";
import { expandHome, PROGRAM } from "./paths.ts";
import type { Command } from "./command.ts";
import { launchdPlan } from "./service/launchd.ts";
import type { ServicePlan, ServiceRequest } from "./service/plan.ts";
import { systemdPlan } from "./service/systemd.ts";
import { windowsPlan } from "./service/windowsTask.ts";
import { readSettings } from "./settings.ts";
import { remark, say, sayJson } from "./terminal.ts";
import { UsageError } from "./usage.ts";

const WORDS = ["install", "uninstall", "status"] as const;

export const service: Command = {
  summary: "start Plimsoll when you log in, or with the machine: systemd, launchd or a Windows task",
  words: WORDS,
  usage: `plimsoll service install|uninstall|status [options]

  --dry-run              print what would be written and run, and do neither
  --system               systemd only: a unit for the whole machine, with a user of its own (run with sudo)
  --json                 with status: as JSON
  --listen HOST:PORT     what install is given here, the service is started with
  --upstream URL
  --data-dir DIR
  --log-level LEVEL
  --config FILE

It starts when you log in; under systemd with the machine after loginctl enable-linger, or with --system. The unit of
systemd is hardened, and still sees the memory of Ollama's runners. status ends with 0 while the service runs, else
with 1. A token belongs in the settings file, not on a command line that everyone can read.`,
  async run(args) {
    const [word = "", ...rest] = args[0]?.startsWith("-") === false ? args : ["", ...args];
    const { flags, warnings } = readSettings(rest, {
      "dry-run": { type: "boolean" },
      system: { type: "boolean" },
      json: { type: "boolean" },
    });
    const system = flags["system"] === true;
    const plan = planFor(process.platform, {
      command: [process.execPath, ...NODE_FLAGS, PROGRAM, "serve", ...serveFlags(flags)],
      home: os.homedir(),
      userId: process.getuid?.() ?? 0,
      system,
    });
    warnings.forEach((warning) => remark(`plimsoll service: ${warning}\n`));
    switch (word) {
      case "install":
        return flags["dry-run"] === true ? print(plan, system) : install(plan, system);
      case "uninstall":
        return flags["dry-run"] === true ? printRemoval(plan) : uninstall(plan);
      case "status":
        return status(plan, flags["json"] === true);
      default:
        throw new UsageError(
          word === ""
            ? `service: name one of ${WORDS.join(", ")}`
            : `service: expected ${WORDS.join(", ")}, not "${word}"`,
        );
    }
  },
};

export function planFor(platform: NodeJS.Platform, request: ServiceRequest): ServicePlan {
  if (request.system && platform !== "linux") {
    throw new UsageError("service: --system is for systemd only");
  }
  switch (platform) {
    case "linux":
      return systemdPlan(request);
    case "darwin":
      return launchdPlan(request);
    case "win32":
      return windowsPlan(request);
    default:
      throw new Error(`services of ${platform} are not known: systemd, launchd and Windows tasks are`);
  }
}

/** Only what was given here: the rest is read from the settings file at each start. */
function serveFlags(flags: Record<string, string | boolean | undefined>): string[] {
  if (flags["token"] !== undefined) {
    throw new UsageError(
      'service: put the token into the settings file ("token"), everyone can read arguments',
    );
  }
  return ["listen", "upstream", "data-dir", "log-level", "config"].flatMap((name) => {
    const value = flags[name];
    if (typeof value !== "string") {
      return [];
    }
    const isPath = name === "config" || (name === "data-dir" && value !== ":memory:");
    return [`--${name}`, isPath ? resolve(expandHome(value)) : value];
  });
}

/** Why the service would not start, said before anything is written. */
export function obstacle(program: string, system: boolean, home: string): string | undefined {
  if (/[\\/]_npx[\\/]/.test(program)) {
    return "npx keeps this copy for a while only. Install it first: npm install -g plimsoll";
  }
  if (
    system &&
    [process.execPath, program].some((path) => path.startsWith(`${home}/`) || /^\/(home|root)\//.test(path))
  ) {
    return "a system service cannot read home directories, and Node or Plimsoll lies in one. Install both for the whole machine, or leave --system out";
  }
  return undefined;
}

function problemHere(system: boolean): string | undefined {
  return existsSync(PROGRAM)
    ? obstacle(PROGRAM, system, os.homedir())
    : `${PROGRAM} is not built: run npm run build first`;
}

function install(plan: ServicePlan, system: boolean): number {
  const problem = problemHere(system);
  if (problem !== undefined) {
    remark(`plimsoll service: ${problem}.\n`);
    return EXIT.failed;
  }
  mkdirSync(dirname(plan.file.path), { recursive: true });
  writeFileSync(plan.file.path, plan.file.text, plan.file.encoding);
  remark(`Written: ${plan.file.path}\n`);
  // Loaded once already: what replaces it must be taken in anew.
  if (plan.kind === "launchd agent") {
    runQuietly(plan.uninstall[0] ?? []);
  }
  if (!plan.install.every(runAloud)) {
    return EXIT.failed;
  }
  remark(`${plan.notes.join("\n")}\n`);
  return EXIT.good;
}

function uninstall(plan: ServicePlan): number {
  if (!existsSync(plan.file.path)) {
    remark(`There is no ${plan.kind}: ${plan.file.path} does not exist.\n`);
    return EXIT.good;
  }
  plan.uninstall.forEach(runAloud);
  rmSync(plan.file.path, { force: true });
  plan.afterwards.forEach(runAloud);
  remark(`Removed: ${plan.file.path}. The record stays; plimsoll forget --all deletes it.\n`);
  return EXIT.good;
}

function status(plan: ServicePlan, asJson: boolean): number {
  const installed = existsSync(plan.file.path);
  const active = installed && runQuietly(plan.isActive);
  if (asJson) {
    sayJson({ kind: plan.kind, file: plan.file.path, installed, active });
  } else {
    say(
      `${plan.kind}: ${installed ? `installed (${plan.file.path}), ${active ? "running" : "not running"}` : "not installed (plimsoll service install does it)"}\n`,
    );
  }
  return active ? EXIT.good : EXIT.failed;
}

function print(plan: ServicePlan, system: boolean): number {
  const problem = problemHere(system);
  if (problem !== undefined) {
    remark(`plimsoll service: install would end here: ${problem}.\n`);
  }
  say(
    `# ${plan.kind}: ${plan.file.path}\n${plan.file.text.replace("\uFEFF", "").replaceAll("\r\n", "\n")}\n# then\n${commandLines(plan.install)}${plan.notes.map((note) => `# ${note}\n`).join("")}`,
  );
  return EXIT.good;
}

function printRemoval(plan: ServicePlan): number {
  say(`${commandLines(plan.uninstall)}# then remove ${plan.file.path}\n${commandLines(plan.afterwards)}`);
  return EXIT.good;
}

function commandLines(commands: readonly string[][]): string {
  return commands.map((words) => `${words.join(" ")}\n`).join("");
}

const LONGEST_MS = 60_000;

function runAloud(words: string[]): boolean {
  const [command = "", ...args] = words;
  remark(`$ ${words.join(" ")}\n`);
  const { status: code, error } = spawnSync(command, args, {
    stdio: ["ignore", process.stderr, process.stderr],
    timeout: LONGEST_MS,
  });
  if (error !== undefined) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    remark(`plimsoll service: ${missing ? `${command} is not installed here` : error.message}.\n`);
  } else if (code !== 0) {
    remark(`plimsoll service: ${command} ended with ${code}.\n`);
  }
  return error === undefined && code === 0;
}

function runQuietly([command = "", ...args]: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore", timeout: LONGEST_MS }).status === 0;
}
