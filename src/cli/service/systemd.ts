/**
 * The systemd unit. Memory of the runner is read from `/proc/PID/status` of another user's processes and from
 * `/proc/meminfo`, so `ProtectProc=invisible`, `ProcSubset=pid` and `PrivateUsers=` are left out on purpose: each of
 * them hides it. `MemoryDenyWriteExecute=` would end Node, which compiles as it runs; `PrivateDevices=` hides the
 * graphics cards from `nvidia-smi`; without `AF_NETLINK` the machine's own addresses cannot be asked for.
 */
import { join } from "node:path";
import type { ServicePlan, ServiceRequest } from "./plan.ts";

const UNIT = "plimsoll.service";

/** These need no namespace of their own, so that a user's manager can apply them too. */
const HARDENING = [
  "NoNewPrivileges=yes",
  "LockPersonality=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "RestrictNamespaces=yes",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "UMask=0077",
];

/** In a user's manager these would imply `PrivateUsers=`. */
const SYSTEM_HARDENING = [
  "DynamicUser=yes",
  "StateDirectory=plimsoll",
  "StateDirectoryMode=0700",
  "ConfigurationDirectory=plimsoll",
  "CapabilityBoundingSet=",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "PrivateTmp=yes",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "RemoveIPC=yes",
  "KeyringMode=private",
];

export function systemdPlan(request: ServiceRequest): ServicePlan {
  const scope = request.system ? [] : ["--user"];
  const systemctl = (...words: string[]): string[] => ["systemctl", ...scope, ...words];
  const folder = request.system ? "/etc/systemd/system" : join(request.home, ".config/systemd/user");
  return {
    kind: request.system ? "systemd system unit" : "systemd user unit",
    file: { path: join(folder, UNIT), text: unitText(request), encoding: "utf8" },
    install: [systemctl("daemon-reload"), systemctl("enable", UNIT), systemctl("restart", UNIT)],
    uninstall: [systemctl("disable", "--now", UNIT)],
    afterwards: [systemctl("daemon-reload")],
    isActive: systemctl("is-active", "--quiet", UNIT),
    notes: request.system
      ? [
          "Settings are read from /etc/plimsoll/config.json, the record is in /var/lib/plimsoll.",
          `Its log: journalctl -u ${UNIT}`,
        ]
      : [
          "It runs while you are logged in; to start it with the machine: loginctl enable-linger",
          `Its log: journalctl --user -u ${UNIT}`,
        ],
  };
}

export function unitText({ command, system }: ServiceRequest): string {
  return `[Unit]
Description=Plimsoll, the load line for local LLMs
After=network.target ollama.service

[Service]
Type=exec
ExecStart=${command.map(quoted).join(" ")}
Restart=on-failure
RestartSec=2
# Bad settings stay bad: the message is in the log.
RestartPreventExitStatus=78
SuccessExitStatus=130
# Running answers get 30 s to finish.
TimeoutStopSec=40
# Whoever warns of swapping must neither swap nor be the first to be killed.
MemorySwapMax=0
OOMScoreAdjust=-500
${[...HARDENING, ...(system ? SYSTEM_HARDENING : [])].join("\n")}

[Install]
WantedBy=${system ? "multi-user.target" : "default.target"}
`;
}

/** systemd expands `%` and `$` and knows backslashes, in quotes as well (systemd.service(5), "Command lines"). */
function quoted(word: string): string {
  const escaped = word
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("%", "%%")
    .replaceAll("$", "$$$$");
  return `"${escaped}"`;
}
