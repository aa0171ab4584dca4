/** The scheduled task of Windows, started when its user logs on. */
import { join } from "node:path";
import type { ServicePlan, ServiceRequest } from "./plan.ts";
import { xmlText } from "./xml.ts";

const NAME = "Plimsoll";

export function windowsPlan(request: ServiceRequest): ServicePlan {
  const file = join(request.home, "AppData", "Local", "plimsoll", "plimsoll-task.xml");
  return {
    kind: "Windows scheduled task",
    // schtasks reads UTF-16 with a byte-order mark.
    file: { path: file, text: `\uFEFF${taskText(request.command)}`, encoding: "utf16le" },
    install: [
      ["schtasks", "/Create", "/TN", NAME, "/XML", file, "/F"],
      ["schtasks", "/Run", "/TN", NAME],
    ],
    uninstall: [
      ["schtasks", "/End", "/TN", NAME],
      ["schtasks", "/Delete", "/TN", NAME, "/F"],
    ],
    afterwards: [],
    isActive: ["cmd", "/c", `schtasks /Query /TN ${NAME} /V /FO LIST | findstr /C:"Running"`],
    notes: ["Ending the task cuts answers that are running: Windows sends it no signal to finish."],
  };
}

/** Without a limit of its own a task is ended after three days; without the battery settings it ends on battery. */
export function taskText([program = "", ...words]: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Plimsoll, the load line for local LLMs</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
    </LogonTrigger>
  </Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Hidden>true</Hidden>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>10</Count>
    </RestartOnFailure>
  </Settings>
  <Actions>
    <Exec>
      <Command>${xmlText(program)}</Command>
      <Arguments>${xmlText(words.map(quoted).join(" "))}</Arguments>
    </Exec>
  </Actions>
</Task>
`.replaceAll("\n", "\r\n");
}

/** As CommandLineToArgvW takes it apart again: backslashes count only before a quote. */
function quoted(word: string): string {
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1")}"`;
}
