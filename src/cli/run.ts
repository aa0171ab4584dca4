/** Finds the command, shows help, turns errors into one line and an exit code. */
import { ConfigError } from "../config.ts";
import { nearestWord } from "../nearestWord.ts";
import { EXIT } from "./exit.ts";
import { helpText } from "./help.ts";
import { readVersion } from "./paths.ts";
import { remark, say } from "./terminal.ts";
import { UsageError } from "./usage.ts";

export interface Command {
  summary: string;
  /** Shown by `--help`; completion reads the options off it. */
  usage: string;
  /** Words it takes first, such as `install`, for completion. */
  words?: readonly string[];
  /** Runs and answers the exit code. */
  run(args: string[]): Promise<number>;
}

const COMMANDS: Record<string, () => Promise<Command>> = {
  serve: async () => (await import("./serve.ts")).serve,
  demo: async () => (await import("./demo.ts")).demo,
  predict: async () => (await import("./predict.ts")).predict,
  accuracy: async () => (await import("./accuracy.ts")).accuracy,
  chats: async () => (await import("./chats.ts")).chats,
  alert: async () => (await import("./alert.ts")).alert,
  replay: async () => (await import("./replay.ts")).replay,
  forget: async () => (await import("./forget.ts")).forget,
  top: async () => (await import("./top.ts")).top,
  export: async () => (await import("./export.ts")).exportTables,
  doctor: async () => (await import("./doctor.ts")).doctor,
  env: async () => (await import("./env.ts")).env,
  service: async () => (await import("./service.ts")).service,
  completion: async () => (await import("./completion.ts")).completion,
};

export async function run(args: string[]): Promise<number> {
  const [first = "serve", ...rest] = args;
  if (first === "--version" || first === "-v") {
    say(`${readVersion()}\n`);
    return EXIT.good;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    return showHelp(rest[0]);
  }
  // `plimsoll --listen …` serves: the command's name may be left out.
  const name = first.startsWith("-") ? "serve" : first;
  const commandArgs = first.startsWith("-") ? args : rest;
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    const nearest = nearestWord(name, Object.keys(COMMANDS));
    remark(
      `plimsoll: there is no command "${name}"${nearest === undefined ? "" : `; did you mean "${nearest}"?`} See plimsoll --help.\n`,
    );
    return EXIT.usage;
  }
  if (commandArgs.includes("--help") || commandArgs.includes("-h")) {
    return showHelp(name);
  }
  try {
    return await (await load()).run(commandArgs);
  } catch (error) {
    return explain(error);
  }
}

async function showHelp(name: string | undefined): Promise<number> {
  const load = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load !== undefined) {
    say(`${(await load()).usage.trim()}\n`);
    return EXIT.good;
  }
  const commands = await loadCommands();
  say(helpText(commands.map(([key, { summary }]) => [key, summary] as const)));
  return EXIT.good;
}

/** Every command with its name. */
export function loadCommands(): Promise<(readonly [name: string, command: Command])[]> {
  return Promise.all(Object.entries(COMMANDS).map(async ([name, load]) => [name, await load()] as const));
}

function explain(error: unknown): number {
  const { code, message } = error as NodeJS.ErrnoException;
  remark(`plimsoll: ${message}\n`);
  if (error instanceof ConfigError) {
    return EXIT.configuration;
  }
  return error instanceof UsageError || code?.startsWith("ERR_PARSE_ARGS") === true
    ? EXIT.usage
    : EXIT.failed;
}
