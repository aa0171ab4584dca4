/** nginx as people put it in front of Ollama once their tokens come in bursts: nothing buffered, one worker. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../machine/port.ts";
import { startProgram } from "../machine/program.ts";
import { findProgram, versionOf } from "./installed.ts";
import type { Launched, LaunchParts } from "./target.ts";

export async function launchNginx({ upstreamPort, directory }: LaunchParts): Promise<Launched> {
  const command = findProgram("nginx");
  const port = await freePort();
  const file = join(directory, "nginx.conf");
  writeFileSync(file, configuration({ port, upstreamPort, directory }));
  const program = await startProgram({
    command,
    args: ["-p", directory, "-e", "stderr", "-c", file],
    port,
  });
  return {
    name: "nginx",
    label: "nginx, unbuffered",
    version: versionOf(command, "-v"),
    port,
    fields: [],
    dialects: ["ollama", "openai"],
    ...program,
  };
}

function configuration(parts: { port: number; upstreamPort: number; directory: string }): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  // Started as root its worker would be another user, who cannot write into the folder.
  return `${process.getuid?.() === 0 ? "user root;" : ""}
daemon off;
worker_processes 1;
pid ${join(parts.directory, "nginx.pid")};
events { worker_connections 1024; }
http {
  access_log off;
  error_log stderr crit;
  tcp_nodelay on;
  ${temporary.map((name) => `${name}_temp_path ${join(parts.directory, name)};`).join("\n  ")}
  upstream mock { server 127.0.0.1:${parts.upstreamPort}; keepalive 128; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${parts.port};
    keepalive_requests 1000000;
    client_max_body_size 0;
    location / {
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }
  }
}
`;
}
