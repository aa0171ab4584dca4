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

/** A page costs what it is sent, which is most while many streams run. */
const CASES_WITH_PAGE = ["streams-64"];

export async function launchAll(parts: LaunchAllParts): Promise<LaunchedAll> {
  const { upstreamPort, only } = parts;
  const launched: LaunchedAll = { targets: [directTo(upstreamPort)], skipped: [] };
  const wanted = (name: string): boolean => only.length === 0 || only.includes(name);

  const launch = async (name: string, start: (place: LaunchParts) => Promise<Launched>): Promise<void> => {
    if (!wanted(name)) {
      return;
    }
    const directory = join(parts.directory, name);
    mkdirSync(directory);
    try {
      const target = await start({ upstreamPort, directory });
      parts.cleanup.add(() => target.stop());
      launched.targets.push(target);
    } catch (error) {
      launched.skipped.push({ name, reason: error instanceof Error ? error.message : String(error) });
    }
  };

  const profile = parts.profileDirectory;
  const nodeArguments = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
  await launch("plimsoll", (place) =>
    launchPlimsoll({ ...place, name: "plimsoll", label: "Plimsoll", recording: true, nodeArguments }),
  );
  await launch("plimsoll-memory", (place) =>
    launchPlimsoll({ ...place, name: "plimsoll-memory", label: "Plimsoll, recording off", recording: false }),
  );
  const { otherBuild } = parts;
  if (otherBuild !== undefined) {
    await launch("plimsoll-other", (place) =>
      launchPlimsoll({
        ...place,
        name: "plimsoll-other",
        label: "Plimsoll, other build",
        recording: true,
        program: otherBuild,
      }),
    );
  }
  await launch("nginx", launchNginx);
  await launch("haproxy", launchHaproxy);
  if (parts.withNpmTargets) {
    launched.packages = preparePackages(parts.directory, launched);
  }
  const { packages } = launched;
  for (const [name, start] of [
    ["http-proxy", launchHttpProxy],
    ["portkey", launchPortkey],
  ] as const) {
    if (packages !== undefined) {
      await launch(name, (place) => start({ ...place, packages }));
    } else if (wanted(name) && !parts.withNpmTargets) {
      launched.skipped.push({ name, reason: "comes from npm: add --with-npm-targets" });
    }
  }
  launched.targets.push(...withPageOpen(launched.targets));
  return launched;
}

function directTo(port: number): Target {
  return { name: "direct", label: "direct", port, fields: [], dialects: ["ollama", "openai"] };
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

function preparePackages(directory: string, launched: LaunchedAll): string | undefined {
  const packages = join(directory, "packages");
  mkdirSync(packages);
  try {
    installPackages(packages);
    return packages;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    launched.skipped.push({ name: "http-proxy", reason }, { name: "portkey", reason });
    return undefined;
  }
}
