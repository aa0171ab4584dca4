/** What `plimsoll --help` prints. */
export function helpText(commands: readonly (readonly [name: string, summary: string])[]): string {
  const list = commands.map(([name, summary]) => `  ${name.padEnd(11)} ${summary}`).join("\n");
  return `Plimsoll, the load line for local LLMs: a transparent proxy in front of Ollama.

  plimsoll                        listen on 127.0.0.1:11435, forward to 127.0.0.1:11434
  plimsoll --upstream http://127.0.0.1:11500
  plimsoll demo                   everything simulated, no Ollama needed
  plimsoll predict llama3.1:8b --ctx 32k

Commands
${list}

Point your clients at http://127.0.0.1:11435 instead of at Ollama and open http://127.0.0.1:11435/plimsoll/.
plimsoll <command> --help says more. --version prints the version.
`;
}

/** The settings that have a flag, as every command that serves shows them. */
export const SETTINGS_HELP = `
  --listen HOST:PORT     where clients connect        PLIMSOLL_LISTEN     127.0.0.1:11435
  --upstream URL         the Ollama to forward to     PLIMSOLL_UPSTREAM   http://127.0.0.1:11434
  --data-dir DIR         where the record is kept     PLIMSOLL_DATA_DIR   the system's place; :memory: keeps nothing
  --log-level LEVEL      debug, info, warn, error     PLIMSOLL_LOG_LEVEL  info
  --token TOKEN          for /plimsoll, needed when   PLIMSOLL_TOKEN      none
                         not on loopback
  --config FILE          settings file                PLIMSOLL_CONFIG     the system's place, if it exists
`;
