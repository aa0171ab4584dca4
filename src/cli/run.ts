/** Finds the command, shows help, turns errors into one line and an exit code. */
import { ConfigError } from "../config.ts";
import { nearestWord } from "../nearestWord.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit.ts";
import { helpText } from "./help.ts";
import { readVersion } from "./paths.ts";
import { remark, say } from "./terminal.ts";
import { UsageError } from "./usage.ts";

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

/** Words that other programs have commands for, and where the same is found here. */
const ELSEWHERE: Record<string, string> = {
  status: "top --once",
  alerts: "export alerts",
  start: "serve",
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
    const meant = Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : nearestWord(name, Object.keys(COMMANDS));
    remark(
      `plimsoll: there is no command "${name}"${meant === undefined ? "." : `; did you mean "${meant}"?`} See plimsoll --help.\n`,
    );
    return EXIT.usage;
  }
  if (commandArgs.includes("--help") || commandArgs.includes("-h")) {
    return showHelp(name);
  }
  const command = await load();
  try {
    return await command.run(commandArgs);
  } catch (error) {
    return explain(error, name, command);
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

/** A file that someone has named: its message is for programmers. */
function fileProblem({ code, path, message }: NodeJS.ErrnoException): string | undefined {
  if (path === undefined || !message.startsWith(`${code}:`)) return undefined;
  if (code === "ENOENT") return `there is no file ${path}.`;
  return code === "EACCES" ? `${path} may not be read by this user.` : undefined;
}

/** Node goes on about positional arguments, and knows nothing of those that a command takes from the front. */
function firstSentence(message: string): string {
  return message.split(/\.?(?:\s*\n|$)|\.\s/)[0] ?? message;
}

/** Node's own message goes on about positional arguments: only the option it names is of use. */
function unknownOption(message: string, name: string, { usage }: Command): string {
  const option = /'(-[^ ']*)/.exec(message)?.[1] ?? "";
  const meant = nearestWord(option, [...new Set(usage.match(/--[a-z][a-z-]+/g))]);
  return `plimsoll: there is no option ${option}${meant === undefined ? "." : `; did you mean ${meant}?`} See plimsoll ${name} --help.\n`;
}

/** Every command with its name. */
export function loadCommands(): Promise<(readonly [name: string, command: Command])[]> {
  return Promise.all(Object.entries(COMMANDS).map(async ([name, load]) => [name, await load()] as const));
}

function explain(error: unknown, name: string, command: Command): number {
  const { code, message } = error as NodeJS.ErrnoException;
  const isUsage = code?.startsWith("ERR_PARSE_ARGS") === true;
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") remark(unknownOption(message, name, command));
  else if (isUsage) remark(`plimsoll: ${firstSentence(message)}. See plimsoll ${name} --help.\n`);
  else remark(`plimsoll: ${fileProblem(error as NodeJS.ErrnoException) ?? message}\n`);
  if (error instanceof ConfigError) {
    return EXIT.configuration;
  }
  return error instanceof UsageError || isUsage ? EXIT.usage : EXIT.failed;
}
