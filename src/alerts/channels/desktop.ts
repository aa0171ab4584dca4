/**
 * A notification on this computer's desktop. What it says travels in variables and arguments, never inside a script, so
 * no model name can be one.
 */
import { DeliveryError, type AlertLevel, type AlertMessage, type Channel } from "./channel.ts";
import { createLineHelper, type SpawnProgram } from "./lineHelper.ts";
import { clean, type Platform } from "./wording.ts";

/** How programs are started here; a stand-in in tests. */
export interface Programs {
  platform: Platform;
  environment: Readonly<Record<string, string | undefined>>;
  spawn: SpawnProgram;
  killGroup(pid: number): void;
}

const TIME_LIMIT_MS = 10_000;
const LONGEST_TEXT = 400;

const URGENCIES: Record<AlertLevel, string> = {
  watch: "low",
  warn: "normal",
  critical: "critical",
  swapping: "critical",
  thrashing: "critical",
};

const LINUX_SCRIPT = `while IFS= read -r urgency && IFS= read -r title && IFS= read -r text; do
  notify-send -a Plimsoll -u "$urgency" -- "$title" "$text" </dev/null >/dev/null 2>&1
  echo "done $?"
done`;

const MACOS_SCRIPT = `while IFS= read -r urgency && IFS= read -r title && IFS= read -r text; do
  osascript -e 'on run argv' -e 'display notification (item 2 of argv) with title (item 1 of argv)' -e 'end run' "$title" "$text" </dev/null >/dev/null 2>&1
  echo "done $?"
done`;

/** A toast needs the identity of an installed program: PowerShell's own. One line of ASCII JSON for each message. */
const WINDOWS_SCRIPT = `$ErrorActionPreference = 'Stop'
$null = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$app = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe'
while (($line = [Console]::In.ReadLine()) -ne $null) {
  try {
    $said = ConvertFrom-Json $line
    $xml = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02)
    $nodes = $xml.GetElementsByTagName('text')
    $null = $nodes.Item(0).AppendChild($xml.CreateTextNode($said.title))
    $null = $nodes.Item(1).AppendChild($xml.CreateTextNode($said.text))
    $toast = New-Object Windows.UI.Notifications.ToastNotification $xml
    [Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($app).Show($toast)
    [Console]::Out.WriteLine('done 0')
  } catch { [Console]::Out.WriteLine('done 1') }
}`;

/** `notify-send`, `osascript` or a PowerShell toast, through one helper that waits for lines. */
export function createDesktop(
  settings: { name?: string | undefined; minimumLevel: AlertLevel },
  programs: Programs,
): Channel {
  const { platform, spawn, killGroup } = programs;
  const windows = platform === "windows";
  const helper = createLineHelper({
    name: "the notification helper",
    command: windows ? "powershell.exe" : "/bin/sh",
    args: windows
      ? ["-NoProfile", "-NonInteractive", "-Command", WINDOWS_SCRIPT]
      : ["-c", platform === "macos" ? MACOS_SCRIPT : LINUX_SCRIPT],
    spawn,
    killGroup,
  });
  const missing = missingDesktop(programs);
  return {
    name: settings.name ?? "desktop",
    type: "desktop",
    minimumLevel: settings.minimumLevel,
    timeLimitMs: TIME_LIMIT_MS,
    unusable: missing,
    start: () => {
      if (missing === undefined) {
        helper.start();
      }
    },
    async send(message, signal) {
      if (missing !== undefined) {
        throw new DeliveryError(missing, false);
      }
      const code = await helper.send(windows ? [windowsLine(message)] : unixLines(message, platform), signal);
      if (code !== 0) {
        throw new DeliveryError(explain(code, platform), false);
      }
    },
    close: helper.close,
  };
}

/** A service or a container has no desktop to show anything on. */
function missingDesktop({ platform, environment }: Programs): string | undefined {
  const session = ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"];
  return platform === "linux" && session.every((name) => (environment[name] ?? "") === "")
    ? "there is no desktop session here (a service or a container has none)"
    : undefined;
}

/** Urgency, title, text: what the helper reads with three `read`s. */
export function unixLines(message: AlertMessage, platform: Platform): string[] {
  const text = clean(shortText(message), LONGEST_TEXT);
  return [
    message.state === "ended" || message.state === "test" ? "normal" : URGENCIES[message.level],
    clean(message.title, LONGEST_TEXT),
    // The freedesktop specification lets the body hold markup.
    platform === "linux" ? escapeMarkup(text) : text,
  ];
}

/** `{title, text}` as JSON in ASCII. */
export function windowsLine(message: AlertMessage): string {
  const json = JSON.stringify({ title: message.title, text: clean(shortText(message), LONGEST_TEXT) });
  // Whatever code page the console has, ASCII arrives as it was sent.
  return json.replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function shortText({ text, fixes }: AlertMessage): string {
  const [fix] = fixes;
  return fix === undefined ? text : `${text} ${fix.text}`;
}

function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function explain(code: number, platform: Platform): string {
  const program = platform === "macos" ? "osascript" : platform === "windows" ? "PowerShell" : "notify-send";
  return code === 127
    ? `${program} is not installed${program === "notify-send" ? " (package libnotify-bin or libnotify)" : ""}`
    : `${program} failed (exit code ${code})`;
}
