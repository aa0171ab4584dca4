/** `plimsoll env`: lines that a shell can run, for each shell. */
import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { ownUrl } from "../../src/cli/address.ts";
import { clientVariables, detectShell, variableLines } from "../../src/cli/env.ts";
import { cleanUp } from "../support/startPlimsoll.ts";
import { plimsoll } from "./support/program.ts";

afterEach(cleanUp);

const URL = "http://127.0.0.1:11435";

describe("where clients are pointed", () => {
  it.each([
    ["127.0.0.1:11435", URL],
    ["0.0.0.0:80", "http://127.0.0.1:80"],
    ["[::]:80", "http://[::1]:80"],
    ["[::1]:9", "http://[::1]:9"],
    ["11500", "http://127.0.0.1:11500"],
    ["box.lan:1", "http://box.lan:1"],
  ])("a listener on %s is asked at %s", (listen, url) => {
    expect(ownUrl(listen)).toBe(url);
  });

  it("gives each library the part of the path that it expects", () => {
    const values = Object.fromEntries(clientVariables(URL).map(({ name, value }) => [name, value]));
    expect(values).toEqual({
      OLLAMA_HOST: URL,
      OLLAMA_BASE_URL: URL,
      OLLAMA_API_BASE: URL,
      OPENAI_BASE_URL: `${URL}/v1`,
      ANTHROPIC_BASE_URL: URL,
    });
  });
});

describe("what a shell makes of the lines", () => {
  it("sets the variables in sh, and takes them back", () => {
    const set = variableLines(clientVariables(URL), "sh", false);
    const unset = variableLines(clientVariables(URL), "sh", true);
    const script = `${set}\necho "$OLLAMA_HOST $OPENAI_BASE_URL"\n${unset}\necho "[\${OLLAMA_HOST-gone}]"`;
    expect(execFileSync("sh", ["-c", script], { encoding: "utf8" })).toBe(`${URL} ${URL}/v1\n[gone]\n`);
  });

  it.each([
    ["fish", `set -gx OLLAMA_HOST '${URL}'`],
    ["powershell", `$env:OLLAMA_HOST = '${URL}'`],
    ["cmd", `set "OLLAMA_HOST=${URL}"`],
    ["zsh", `export OLLAMA_HOST='${URL}'`],
  ] as const)("%s", (shell, line) => {
    expect(variableLines(clientVariables(URL), shell, false).split("\n")).toContain(line);
  });

  it("takes the shell from SHELL, else the system's usual one", () => {
    expect(detectShell({ SHELL: "/usr/bin/fish" }, "linux")).toBe("fish");
    expect(detectShell({ SHELL: "/usr/bin/nu" }, "linux")).toBe("sh");
    expect(detectShell({}, "win32")).toBe("powershell");
  });
});

it("prints JSON, and refuses a shell it does not know", async () => {
  const [json, unknown] = await Promise.all([
    plimsoll(["env", "--json", "--listen", "11500"]).ended,
    plimsoll(["env", "--shell", "tcsh"]).ended,
  ]);
  expect(json.code).toBe(0);
  expect(JSON.parse(json.out)).toMatchObject({
    variables: expect.arrayContaining([
      { name: "OPENAI_BASE_URL", value: "http://127.0.0.1:11500/v1", readBy: expect.any(String) },
    ]),
  });
  expect(unknown).toMatchObject({ code: 2, out: "", err: expect.stringContaining('"tcsh" is not known') });
});
