/** Settings from flags, environment and file, for every command that needs them. */
import { readFileSync } from "node:fs";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { ConfigError, loadConfig, type Config, type Origin } from "../config.ts";
import { defaultConfigFile, defaultDataDir, expandHome } from "./paths.ts";

const SETTING_FLAGS = {
  config: { type: "string" },
  listen: { type: "string" },
  upstream: { type: "string" },
  "data-dir": { type: "string" },
  "log-level": { type: "string" },
  token: { type: "string" },
} as const satisfies ParseArgsConfig["options"];

export interface Settings {
  config: Config;
  /** `config.dataDir` with its default filled in. */
  dataDir: string;
  warnings: string[];
  /** Where each setting that is not a default came from. */
  origins: ReadonlyMap<string, Origin>;
  /** The settings file that was looked for; the default one may be missing. */
  configFile: string;
  /** Flags of the command itself. */
  flags: Record<string, string | boolean | undefined>;
}

/** Parses the arguments of one command. Throws on unknown flags and on bad settings, with the fix. */
export function readSettings(
  args: string[],
  ownFlags: NonNullable<ParseArgsConfig["options"]> = {},
  environment: NodeJS.ProcessEnv = process.env,
): Settings {
  const { values } = parseArgs({ args, options: { ...SETTING_FLAGS, ...ownFlags }, strict: true });
  const flags = values as Record<string, string | boolean | undefined>;
  const named = values.config ?? environment["PLIMSOLL_CONFIG"];
  const { config, warnings, origins } = loadConfig({
    flags: {
      listen: values.listen,
      upstream: values.upstream,
      dataDir: values["data-dir"],
      logLevel: values["log-level"],
      token: values.token,
    },
    environment,
    file: readConfigFile(named, environment),
  });
  const dataDir = expandHome(config.dataDir ?? defaultDataDir(environment));
  return {
    config,
    dataDir,
    warnings,
    origins,
    configFile: expandHome(named ?? defaultConfigFile(environment)),
    flags,
  };
}

/** A file that was named must exist; the default one may be missing. */
function readConfigFile(
  named: string | undefined,
  environment: NodeJS.ProcessEnv,
): { path: string; text: string } | undefined {
  const path = named ?? defaultConfigFile(environment);
  try {
    return { path, text: readFileSync(expandHome(path), "utf8") };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (named === undefined && code === "ENOENT") {
      return undefined;
    }
    throw new ConfigError(`--config ${path} cannot be read: ${message}`);
  }
}
