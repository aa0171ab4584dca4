/** The set-up in which no client changes: Ollama moves to another port, Plimsoll takes its place. */
export interface SetUp {
  /** Where Ollama goes and where Plimsoll listens. */
  ollama: string;
  listen: string;
  /** Shell lines, in order. */
  commands: string[];
}

const OLLAMA = "127.0.0.1:11435";
const LISTEN = "127.0.0.1:11434";

export function unchangedClients(platform: NodeJS.Platform): SetUp {
  const start = `plimsoll --listen ${LISTEN} --upstream http://${OLLAMA}`;
  const move = {
    linux: [
      "sudo systemctl edit ollama.service   # add the two lines that follow, then save",
      "  [Service]",
      `  Environment="OLLAMA_HOST=${OLLAMA}"`,
      "sudo systemctl restart ollama",
    ],
    darwin: [`launchctl setenv OLLAMA_HOST ${OLLAMA}   # then quit the Ollama app and start it again`],
    win32: [`setx OLLAMA_HOST ${OLLAMA}   # then quit Ollama from the tray and start it again`],
  };
  const commands = Object.hasOwn(move, platform)
    ? move[platform as keyof typeof move]
    : [`OLLAMA_HOST=${OLLAMA} ollama serve`];
  const forGood = `plimsoll service install --listen ${LISTEN} --upstream http://${OLLAMA}   # instead: for good`;
  return { ollama: OLLAMA, listen: LISTEN, commands: [...commands, start, forGood] };
}
