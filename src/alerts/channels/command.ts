/** Runs a program of the user's for each message: the alert as JSON on its input, the main facts in its environment. */
import { DeliveryError, type AlertMessage, type Channel, type ChannelSettings } from "./channel.ts";
import type { Programs } from "./desktop.ts";
import { createLineHelper } from "./lineHelper.ts";
import { jsonBody } from "./webhook.ts";

const TIME_LIMIT_MS = 30_000;

/** What the program finds in its environment. */
const VARIABLES = [
  "PLIMSOLL_ALERT_STATE",
  "PLIMSOLL_ALERT_LEVEL",
  "PLIMSOLL_ALERT_TITLE",
  "PLIMSOLL_ALERT_TEXT",
  "PLIMSOLL_ALERT_FIX",
  "PLIMSOLL_ALERT_EPISODE",
] as const;

/** The shell only reads lines into variables and starts the program: nothing of a message is ever its source text. */
const SCRIPT = `export ${VARIABLES.join(" ")}
while ${VARIABLES.map((name) => `IFS= read -r ${name}`).join(" && ")} && IFS= read -r alert; do
  printf '%s\\n' "$alert" | "$@" >/dev/null 2>&1
  echo "done $?"
done`;

/**
 * `settings.command`: the program and its arguments, which no shell reads. Exit code 0 is delivered; any other is not
 * tried again.
 */
export function createCommand(
  settings: Extract<ChannelSettings, { type: "command" }>,
  programs: Programs,
): Channel {
  const [program = "", ...args] = settings.command;
  const common = {
    name: settings.name ?? "command",
    type: "command",
    minimumLevel: settings.minimumLevel,
    timeLimitMs: TIME_LIMIT_MS,
  };
  if (programs.platform === "windows") {
    return { ...common, send: (message, signal) => runOnce(programs, [program, ...args], message, signal) };
  }
  const helper = createLineHelper({
    name: "the command",
    command: "/bin/sh",
    args: ["-c", SCRIPT, "plimsoll-alert", program, ...args],
    spawn: programs.spawn,
    killGroup: programs.killGroup,
  });
  return {
    ...common,
    start: helper.start,
    async send(message, signal) {
      const facts = environmentOf(message);
      const lines = [...VARIABLES.map((name) => facts[name]), JSON.stringify(jsonBody(message))];
      judge(await helper.send(lines, signal));
    },
    close: helper.close,
  };
}

/** Without a shell to keep ready, as on Windows. */
function runOnce(
  { spawn, killGroup }: Programs,
  [program = "", ...args]: readonly string[],
  message: AlertMessage,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, environmentOf(message));
    child.once("error", (error: NodeJS.ErrnoException) =>
      reject(new DeliveryError(`the command cannot be started (${error.code ?? "unknown"})`, false)),
    );
    child.once("exit", (code) => {
      try {
        judge(code ?? 1);
        resolve();
      } catch (error) {
        reject(error);
      }
    });
    signal.addEventListener("abort", () => {
      if (child.pid !== undefined) {
        killGroup(child.pid);
      }
      reject(new DeliveryError("the command did not finish in time and was ended", false));
    });
    child.stdout?.resume();
    child.stdin?.on("error", () => {});
    child.stdin?.end(`${JSON.stringify(jsonBody(message))}\n`);
  });
}

/** One line each; `PLIMSOLL_ALERT_FIX` is the first command to paste, or its words, or empty. */
export function environmentOf(message: AlertMessage): Record<(typeof VARIABLES)[number], string> {
  return {
    PLIMSOLL_ALERT_STATE: message.state,
    PLIMSOLL_ALERT_LEVEL: message.level,
    PLIMSOLL_ALERT_TITLE: message.title,
    PLIMSOLL_ALERT_TEXT: message.text,
    PLIMSOLL_ALERT_FIX: message.fixes[0]?.commands[0] ?? message.fixes[0]?.text ?? "",
    PLIMSOLL_ALERT_EPISODE: message.episode?.id ?? "",
  };
}

/** An exit code as the shell reports it. A program that says no is not asked again. */
function judge(code: number): void {
  if (code === 127) {
    throw new DeliveryError("there is no such program; name it with its whole path", false);
  }
  if (code === 126) {
    throw new DeliveryError("the program may not be run: is it executable?", false);
  }
  if (code !== 0) {
    throw new DeliveryError(`the command failed (exit code ${code})`, false);
  }
}
