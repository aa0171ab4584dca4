/** `plimsoll completion`: scripts that shells accept and that know every command and option. */
import { execFileSync } from "node:child_process";
import { afterEach, expect, it } from "vitest";
import { bash, completables, fish, zsh } from "../../src/cli/completion.ts";
import { loadCommands } from "../../src/cli/run.ts";
import { cleanUp } from "../support/startPlimsoll.ts";
import { plimsoll } from "./support/program.ts";

afterEach(cleanUp);

const commands = completables(await loadCommands());

function completeInBash(words: string[]): string[] {
  const script = `${bash(commands)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length - 1}
_plimsoll
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8", cwd: "/" })
    .split("\n")
    .filter((word) => word !== "");
}

it("knows the options that the help of a command names", () => {
  const forget = commands.find(({ name }) => name === "forget");
  expect(forget?.options).toEqual(expect.arrayContaining(["--all", "--before", "--data-dir", "--json"]));
  const serve = commands.find(({ name }) => name === "serve");
  expect(serve?.options).toEqual(expect.arrayContaining(["--listen", "--upstream", "--log-level", "--help"]));
  expect(new Set(serve?.options).size).toBe(serve?.options.length);
});

it("completes commands, options, words and values in bash", () => {
  expect(completeInBash(["plimsoll", "fo"])).toEqual(["forget"]);
  expect(completeInBash(["plimsoll", "forget", "--bef"])).toEqual(["--before"]);
  expect(completeInBash(["plimsoll", "completion", "z"])).toEqual(["zsh"]);
  expect(completeInBash(["plimsoll", "--log-level", "w"])).toEqual(["warn"]);
  expect(completeInBash(["plimsoll", "--ups"])).toEqual(["--upstream"]);
});

it("names each command once for zsh and fish, its summary safe between quotes", () => {
  const odd = [{ name: "odd", summary: "it's a: test", options: ["--x"], words: ["w"] }];
  expect(zsh(odd)).toContain(String.raw`'odd:it'\''s a\: test'`);
  expect(fish(odd)).toContain(String.raw`-a odd -d 'it\'s a: test'`);
  for (const { name } of commands) {
    expect(zsh(commands)).toContain(`    '${name}:`);
    expect(fish(commands)).toContain(`__fish_use_subcommand -a ${name} `);
  }
});

it("refuses a shell that it has no script for", async () => {
  const [none, odd] = await Promise.all([
    plimsoll(["completion"]).ended,
    plimsoll(["completion", "constructor"]).ended,
  ]);
  expect(none).toMatchObject({ code: 2, out: "", err: expect.stringContaining("bash, zsh, fish") });
  expect(odd).toMatchObject({ code: 2, out: "" });
});
