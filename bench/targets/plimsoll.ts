/** Plimsoll as `npm start` runs it: what was emitted, with its defaults. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { NODE_FLAGS } from "../../src/cli/nodeFlags.ts";
import { freePort } from "../machine/port.ts";
import { startProgram } from "../machine/program.ts";
import type { Launched, LaunchParts } from "./target.ts";

export interface PlimsollParts extends LaunchParts {
  name: string;
  label: string;
  recording: boolean;
  /** Another build to measure, as the path of its main.js. */
  program?: string;
  /** Arguments for Node itself, e.g. a profiler's. */
  nodeArguments?: readonly string[];
  environment?: Record<string, string>;
}

const PROGRAM = fileURLToPath(new URL("../../dist/server/main.js", import.meta.url));

export async function launchPlimsoll(parts: PlimsollParts): Promise<Launched> {
  const script = parts.program ?? PROGRAM;
  if (!existsSync(script)) {
    throw new Error(`${parts.program ?? "dist/server/main.js"} is not there: run \`npm run build\` first`);
  }
  const port = await freePort();
  const program = await startProgram({
    command: process.execPath,
    args: [
      ...NODE_FLAGS,
      ...(parts.nodeArguments ?? []),
      script,
      "serve",
      `--listen=127.0.0.1:${port}`,
      `--upstream=http://127.0.0.1:${parts.upstreamPort}`,
      `--data-dir=${parts.recording ? parts.directory : ":memory:"}`,
    ],
    port,
    directory: parts.directory,
    // The user's own settings file would be read otherwise.
    environment: { XDG_CONFIG_HOME: parts.directory, ...parts.environment },
  });
  const { name, label } = parts;
  return { name, label, port, fields: [], dialects: ["ollama", "openai"], ...program };
}
