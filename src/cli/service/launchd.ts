/** The launchd agent of macOS. It sees nothing of the shell's environment: what it needs is in its arguments. */
import { join } from "node:path";
import type { ServicePlan, ServiceRequest } from "./plan.ts";
import { xmlText } from "./xml.ts";

const LABEL = "plimsoll";

export function launchdPlan(request: ServiceRequest): ServicePlan {
  const file = join(request.home, "Library/LaunchAgents", `${LABEL}.plist`);
  const log = join(request.home, "Library/Logs/plimsoll.log");
  const domain = `gui/${request.userId}`;
  return {
    kind: "launchd agent",
    file: { path: file, text: plistText(request.command, log), encoding: "utf8" },
    install: [["launchctl", "bootstrap", domain, file]],
    uninstall: [["launchctl", "bootout", `${domain}/${LABEL}`]],
    afterwards: [],
    isActive: ["launchctl", "print", `${domain}/${LABEL}`],
    notes: [`Its log: ${log}`],
  };
}

/** `KeepAlive` brings it back after a crash, not after an end in order; bad settings are tried again every 10 s. */
export function plistText(command: readonly string[], log: string): string {
  const words = command.map((word) => `    <string>${xmlText(word)}</string>`).join("\n");
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${words}
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>ExitTimeOut</key>
  <integer>40</integer>
  <key>StandardErrorPath</key>
  <string>${xmlText(log)}</string>
</dict>
</plist>
`;
}
