/** Starts every target that this machine has, and says why the others are not measured. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Cleanup } from "../machine/cleanup.ts";
import { launchHaproxy } from "./haproxy.ts";
import { launchNginx } from "./nginx.ts";
import { installPackages, launchHttpProxy, launchPortkey } from "./npmPackages.ts";
import { launchPlimsoll } from "./plimsoll.ts";
import type { Launched, LaunchParts, Target } from "./target.ts";

export interface LaunchAllParts {
  upstreamPort: number;
  /** A temporary folder; each target gets one below it. */
  directory: string;
  withNpmTargets: boolean;
  /** Names of targets to measure; all if empty. `direct` is always among them. */
  only: readonly string[];
  /** Path to the main.js of another build of Plimsoll, to be measured beside this one. */
  otherBuild?: string;
  /** Where Plimsoll's processor profile goes, if one is taken. */
  profileDirectory?: string;
  cleanup: Cleanup;
}

export interface LaunchedAll {
  targets: Target[];
  skipped: { name: string; reason: string }[];
  /** Where the packages of npm lie, once they are installed. */
  packages?: string;
}

type Launcher = [name: string, start: (place: LaunchParts) => Promise<Launched>];

/** A page costs what it is sent, which is most while many streams run. */
const CASES_WITH_PAGE = ["streams-64"];

/** @throws Error when Plimsoll itself does not start: a table without it is not worth twenty minutes. */
export async function launchAll(parts: LaunchAllParts): Promise<LaunchedAll> {
  const { upstreamPort, only } = parts;
  const targets: Target[] = [
    { name: "direct", label: "direct", port: upstreamPort, fields: [], dialects: ["ollama", "openai"] },
  ];
  const skipped: LaunchedAll["skipped"] = [];
  const packages = preparePackages(parts);
  for (const [name, start] of [...ownBuilds(parts), ...installed(), ...fromNpm(packages)]) {
    if (only.length > 0 && !only.includes(name)) {
      continue;
    }
    const directory = join(parts.directory, name);
    mkdirSync(directory);
    try {
      const target = await start({ upstreamPort, directory });
      parts.cleanup.add(() => target.stop());
      targets.push(target);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (name.startsWith("plimsoll")) {
        throw new Error(`${name} does not start: ${reason}`, { cause: error });
      }
      skipped.push({ name, reason });
    }
  }
  targets.push(...withPageOpen(targets));
  return { targets, skipped, packages: packages.directory };
}

function ownBuilds({ otherBuild, profileDirectory }: LaunchAllParts): Launcher[] {
  const nodeArguments =
    profileDirectory === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDirectory}`];
  const main = { name: "plimsoll", label: "Plimsoll", recording: true, nodeArguments };
  const memory = { name: "plimsoll-memory", label: "Plimsoll, recording off", recording: false };
  const other = { name: "plimsoll-other", label: "Plimsoll, other build", recording: true };
  return [
    ["plimsoll", (place) => launchPlimsoll({ ...place, ...main })],
    ["plimsoll-memory", (place) => launchPlimsoll({ ...place, ...memory })],
    ...(otherBuild === undefined
      ? []
      : [
          [
            "plimsoll-other",
            (place) => launchPlimsoll({ ...place, ...other, program: otherBuild }),
          ] satisfies Launcher,
        ]),
  ];
}

function installed(): Launcher[] {
  return [
    ["nginx", launchNginx],
    ["haproxy", launchHaproxy],
  ];
}

function fromNpm({ directory, problem }: Packages): Launcher[] {
  const launcher =
    (launch: typeof launchPortkey) =>
    (place: LaunchParts): Promise<Launched> =>
      directory === undefined
        ? Promise.reject(new Error(problem))
        : launch({ ...place, packages: directory });
  return [
    ["http-proxy", launcher(launchHttpProxy)],
    ["portkey", launcher(launchPortkey)],
  ];
}

interface Packages {
  directory?: string;
  /** Why they are not there. */
  problem?: string;
}

function preparePackages({ directory, withNpmTargets }: LaunchAllParts): Packages {
  if (!withNpmTargets) {
    return { problem: "it comes from npm: add --with-npm-targets" };
  }
  const packages = join(directory, "packages");
  mkdirSync(packages);
  try {
    installPackages(packages);
    return { directory: packages };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function withPageOpen(targets: readonly Target[]): Target[] {
  return targets
    .filter((target) => target.name === "plimsoll")
    .map((target) => ({
      ...target,
      name: "plimsoll-page",
      label: "Plimsoll, a page open",
      pageOpen: true,
      cases: CASES_WITH_PAGE,
    }));
}
