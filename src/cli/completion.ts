/** `plimsoll completion`: a script that completes commands and options, made from what `--help` says. */
import { EXIT } from "./exit.ts";
import type { Command } from "./command.ts";
import { loadCommands } from "./run.ts";
import { remark, say } from "./terminal.ts";

export interface Completable {
  name: string;
  summary: string;
  /** Its options, `--json` and so on. */
  options: string[];
  /** Words it takes first, such as `install`. */
  words: readonly string[];
}

const WRITERS = new Map([
  ["bash", bash],
  ["zsh", zsh],
  ["fish", fish],
]);
const SHELLS = [...WRITERS.keys()];

export const completion: Command = {
  summary: "a completion script for bash, zsh or fish",
  words: SHELLS,
  usage: `plimsoll completion bash|zsh|fish

  bash   plimsoll completion bash > ~/.local/share/bash-completion/completions/plimsoll
  zsh    plimsoll completion zsh > "\${fpath[1]}/_plimsoll"
  fish   plimsoll completion fish > ~/.config/fish/completions/plimsoll.fish`,
  async run(args) {
    const [shell, ...more] = args;
    const write = WRITERS.get(shell ?? "");
    if (write === undefined || more.length > 0) {
      remark(`plimsoll completion: name one of ${SHELLS.join(", ")}.\n`);
      return EXIT.usage;
    }
    say(write(completables(await loadCommands())));
    return EXIT.good;
  },
};

/** The options are read off the help text, so that the two cannot differ. */
export function completables(
  commands: readonly (readonly [name: string, command: Command])[],
): Completable[] {
  return commands.map(([name, { summary, usage, words = [] }]) => ({
    name,
    summary,
    options: [
      ...new Set([...usage.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([option]) => option)),
      "--help",
    ]
      .toSorted()
      .filter((option, index, all) => option !== all[index - 1]),
    words,
  }));
}

export function bash(commands: readonly Completable[]): string {
  const cases = commands
    .map(({ name, options, words }) => `    ${name}) words="${[...words, ...options].join(" ")}" ;;`)
    .join("\n");
  const serveOptions = commands.find(({ name }) => name === "serve")?.options ?? [];
  return `# bash completion of plimsoll
_plimsoll() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" words
  COMPREPLY=()
  case "$previous" in
    --config | --data-dir)
      COMPREPLY=($(compgen -f -- "$current"))
      return ;;
    --log-level)
      COMPREPLY=($(compgen -W "debug info warn error" -- "$current"))
      return ;;
  esac
  case "\${COMP_WORDS[1]}" in
${cases}
    *) words="${commands.map(({ name }) => name).join(" ")} ${serveOptions.join(" ")} --version" ;;
  esac
  if ((COMP_CWORD == 1)); then
    words="${commands.map(({ name }) => name).join(" ")} ${serveOptions.join(" ")} --version"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ \${#COMPREPLY[@]} == 0 && $current != -* ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -F _plimsoll plimsoll
`;
}

export function zsh(commands: readonly Completable[]): string {
  const list = commands.map(({ name, summary }) => `    '${name}:${zshText(summary)}'`).join("\n");
  const cases = commands
    .map(
      ({ name, options, words }) =>
        `      ${name}) compadd -- ${[...words, ...options].join(" ")}; _files ;;`,
    )
    .join("\n");
  return `#compdef plimsoll
_plimsoll() {
  local -a commands
  commands=(
${list}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    compadd -- --help --version
  else
    case $words[2] in
${cases}
    esac
  fi
}
if [[ $funcstack[1] == _plimsoll ]]; then _plimsoll "$@"; else compdef _plimsoll plimsoll; fi
`;
}

export function fish(commands: readonly Completable[]): string {
  const lines = commands.flatMap(({ name, summary, options, words }) => [
    `complete -c plimsoll -f -n __fish_use_subcommand -a ${name} -d '${fishText(summary)}'`,
    ...words.map((word) => `complete -c plimsoll -f -n '__fish_seen_subcommand_from ${name}' -a ${word}`),
    ...options.map(
      (option) => `complete -c plimsoll -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`,
    ),
  ]);
  return `# fish completion of plimsoll\n${lines.join("\n")}\n`;
}

function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(":", "\\:");
}

function fishText(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
}
