/**
 * Parts the one string that macOS' `ps` shows back into arguments. Spaces inside a value cannot be told from spaces
 * between arguments, so words that follow an option's value and do not begin with a dash are taken to belong to it:
 * `--model /Volumes/My Disk/blobs/…` stays whole.
 */
export function splitPsCommand(command: string): string[] {
  const argv: string[] = [];
  let afterOption = false;
  let inValue = false;
  for (const word of command.trim().split(/ +/)) {
    if (inValue && !word.startsWith("-")) {
      argv.push(`${argv.pop()} ${word}`);
      continue;
    }
    argv.push(word);
    inValue = afterOption && !word.startsWith("-");
    afterOption = word.startsWith("-");
  }
  return argv;
}

/**
 * Parts a Windows command line as programs do themselves (`CommandLineToArgvW`): double quotes hold spaces together,
 * and a backslash is an ordinary character unless a quote follows.
 */
export function splitWindowsCommand(command: string): string[] {
  const argv: string[] = [];
  let word: string | undefined;
  let quoted = false;
  for (let at = 0; at < command.length; at += 1) {
    const character = command[at] ?? "";
    if (character === '"') {
      quoted = !quoted;
      word ??= "";
    } else if (character === "\\" && command[at + 1] === '"') {
      word = `${word ?? ""}"`;
      at += 1;
    } else if (!quoted && (character === " " || character === "\t")) {
      if (word !== undefined) argv.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (word !== undefined) argv.push(word);
  return argv;
}
