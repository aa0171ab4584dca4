/** HAProxy in HTTP mode, one thread, told not to hold small packets back. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../machine/port.ts";
import { startProgram } from "../machine/program.ts";
import { findProgram, versionOf } from "./installed.ts";
import type { Launched, LaunchParts } from "./target.ts";

export async function launchHaproxy({ upstreamPort, directory }: LaunchParts): Promise<Launched> {
  const command = findProgram("haproxy");
  const port = await freePort();
  const file = join(directory, "haproxy.cfg");
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 1024
defaults
  mode http
  option http-no-delay
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend clients
  bind 127.0.0.1:${port}
  default_backend mock
backend mock
  server mock 127.0.0.1:${upstreamPort}
`,
  );
  const program = await startProgram({ command, args: ["-db", "-f", file], port });
  return {
    name: "haproxy",
    label: "HAProxy",
    version: versionOf(command, "-v"),
    port,
    fields: [],
    dialects: ["ollama", "openai"],
    ...program,
  };
}
