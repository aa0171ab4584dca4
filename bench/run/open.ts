/** Everything that a run needs: mock, drivers, targets, a temporary folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Bench } from "../cases/case.ts";
import type { DriverCommands } from "../driver.ts";
import type { Cleanup } from "../machine/cleanup.ts";
import { startHelper, type Helper } from "../machine/helper.ts";
import { createProc } from "../machine/proc.ts";
import type { MockCommands } from "../mock.ts";
import { createRandom } from "../report/random.ts";
import { launchAll, type LaunchedAll } from "../targets/launch.ts";
import type { Commands } from "../wire/commands.ts";
import type { Options } from "./options.ts";

export interface OpenBench extends LaunchedAll {
  bench: Bench;
}

export async function openBench(options: Options, cleanup: Cleanup): Promise<OpenBench> {
  const directory = mkdtempSync(join(tmpdir(), "plimsoll-bench-"));
  cleanup.add(() => rmSync(directory, { recursive: true, force: true }));
  const helper = <Known extends Commands>(script: string): Helper<Known> => {
    const started = startHelper<Known>(script);
    cleanup.add(() => started.stop());
    return started;
  };
  const mock = helper<MockCommands>("mock.ts");
  const upstreamPort = await mock.ask("listen", null);
  const launched = await launchAll({
    upstreamPort,
    directory,
    withNpmTargets: options.withNpmTargets,
    only: options.targets,
    otherBuild: options.otherBuild && resolve(options.otherBuild),
    profileDirectory: options.profileDirectory && resolve(options.profileDirectory),
    cleanup,
  });
  return {
    ...launched,
    bench: {
      mock,
      driver: helper<DriverCommands>("driver.ts"),
      sideDriver: helper<DriverCommands>("driver.ts"),
      upstreamPort,
      proc: createProc(),
      random: createRandom(options.seed),
      directory,
      packages: launched.packages,
      uploadBytes: options.uploadBytes,
      cleanup,
    },
  };
}
