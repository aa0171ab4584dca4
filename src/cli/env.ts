/** `plimsoll env`: the lines that point the clients of this shell at Plimsoll. */
import { basename } from "node:path";
import { ownUrl } from "./address.ts";
import { EXIT } from "./exit.ts";
import type { Command } from "./command.ts";
import { readSettings } from "./settings.ts";
import { remark, say, sayJson } from "./terminal.ts";

export interface ClientVariable {
  name: string;
  value: string;
  /** Who reads it. */
  readBy: string;
}

const SHELLS = ["sh", "bash", "zsh", "fish", "powershell", "cmd"] as const;
type Shell = (typeof SHELLS)[number];

export const env: Command = {
  summary: "the lines that point the clients of a shell at Plimsoll",
  usage: `plimsoll env [--shell ${SHELLS.join("|")}] [--unset] [--listen HOST:PORT] [--json]

  --shell SHELL      whose syntax (default: the shell this runs in)
  --unset            the lines that take it back
  --listen HOST:PORT where Plimsoll listens
  --json             names and values as JSON

  bash, zsh          eval "$(plimsoll env)"
  fish               plimsoll env | source
  PowerShell         plimsoll env | Out-String | Invoke-Expression

Keys stay as they are: Ollama takes any, and none is printed here.`,
  async run(args) {
    const { config, flags } = readSettings(args, {
      shell: { type: "string" },
      unset: { type: "boolean" },
      json: { type: "boolean" },
    });
    const shell = flags["shell"] ?? detectShell(process.env, process.platform);
    if (!isShell(shell)) {
      remark(`plimsoll env: --shell "${String(shell)}" is not known: expected ${SHELLS.join(", ")}.\n`);
      return EXIT.usage;
    }
    const variables = clientVariables(ownUrl(config.listen));
    if (flags["json"] === true) sayJson({ variables });
    else say(variableLines(variables, shell, flags["unset"] === true));
    return EXIT.good;
  },
};

/** Each client library has its own name, and its own idea of which part of the path belongs to it. */
export function clientVariables(url: string): ClientVariable[] {
  return [
    { name: "OLLAMA_HOST", value: url, readBy: "ollama's command line, ollama-python, ollama launch" },
    { name: "OLLAMA_BASE_URL", value: url, readBy: "Open WebUI, LangChain" },
    { name: "OLLAMA_API_BASE", value: url, readBy: "LiteLLM, aider" },
    { name: "OPENAI_BASE_URL", value: `${url}/v1`, readBy: "OpenAI SDKs" },
    { name: "ANTHROPIC_BASE_URL", value: url, readBy: "Anthropic SDKs, Claude Code" },
  ];
}

export function variableLines(variables: readonly ClientVariable[], shell: Shell, unset: boolean): string {
  const lines = variables.flatMap(({ name, value, readBy }) => [
    `${shell === "cmd" ? "rem" : "#"} ${readBy}`,
    unset ? unsetLine(name, shell) : setLine(name, value, shell),
  ]);
  return `${lines.join("\n")}\n`;
}

function setLine(name: string, value: string, shell: Shell): string {
  switch (shell) {
    case "fish":
      return `set -gx ${name} '${value}'`;
    case "powershell":
      return `$env:${name} = '${value}'`;
    case "cmd":
      return `set "${name}=${value}"`;
    default:
      return `export ${name}='${value}'`;
  }
}

function unsetLine(name: string, shell: Shell): string {
  switch (shell) {
    case "fish":
      return `set -e ${name}`;
    case "powershell":
      return `Remove-Item Env:${name} -ErrorAction SilentlyContinue`;
    case "cmd":
      return `set "${name}="`;
    default:
      return `unset ${name}`;
  }
}

export function detectShell(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): Shell {
  const named = basename(environment["SHELL"] ?? "");
  if (isShell(named)) {
    return named;
  }
  return platform === "win32" ? "powershell" : "sh";
}

function isShell(word: unknown): word is Shell {
  return (SHELLS as readonly unknown[]).includes(word);
}
