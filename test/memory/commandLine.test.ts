import { expect, it } from "vitest";

import { splitPsCommand, splitWindowsCommand } from "../../src/memory/commandLine.ts";

it.each([
  ["ollama serve", ["ollama", "serve"]],
  [
    "llama-server --model /m/blobs/x -c 4096 --context-shift --keep 4",
    ["llama-server", "--model", "/m/blobs/x", "-c", "4096", "--context-shift", "--keep", "4"],
  ],
  [
    "llama-server --model /Volumes/My Big Disk/x --port 1",
    ["llama-server", "--model", "/Volumes/My Big Disk/x", "--port", "1"],
  ],
  ["  llama-server   --offline  ", ["llama-server", "--offline"]],
])("parts what ps shows: %s", (command, argv) => {
  expect(splitPsCommand(command)).toEqual(argv);
});

it.each([
  ['"C:\\Program Files\\Ollama\\ollama.exe" serve', ["C:\\Program Files\\Ollama\\ollama.exe", "serve"]],
  [
    'a.exe --model "C:\\Users\\Jo Doe\\blobs\\x" -c 1',
    ["a.exe", "--model", "C:\\Users\\Jo Doe\\blobs\\x", "-c", "1"],
  ],
  ['a.exe ""  "b c"d \\"e', ["a.exe", "", "b cd", '"e']],
  ["a.exe\tb", ["a.exe", "b"]],
  ["", []],
])("parts a Windows command line: %s", (command, argv) => {
  expect(splitWindowsCommand(command)).toEqual(argv);
});
