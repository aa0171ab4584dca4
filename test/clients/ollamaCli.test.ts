/**
 * Ollama's own command line, direct and through Plimsoll: the same words and exit codes, and a row for each.
 * `PLIMSOLL_OLLAMA_BIN` names the program; `PLIMSOLL_REAL_OLLAMA` a server, else the simulated one answers.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createSimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import { cleanUp, onCleanUp, startPlimsoll } from "../support/startPlimsoll.ts";

const PROGRAM = process.env["PLIMSOLL_OLLAMA_BIN"];
const REAL = process.env["PLIMSOLL_REAL_OLLAMA"];
const MODEL =
  REAL === undefined
    ? "gemma3:270m"
    : (process.env["PLIMSOLL_REAL_SHORT_MODEL"] ?? process.env["PLIMSOLL_REAL_MODEL"] ?? "");

afterAll(cleanUp);

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

async function run(url: string, args: string[]): Promise<Ended> {
  const child = spawn(PROGRAM ?? "", args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: home(), OLLAMA_HOST: url, OLLAMA_NO_CLOUD: "1", NO_COLOR: "1" },
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out, err };
}

let folder: string | undefined;
function home(): string {
  if (folder === undefined) {
    const made = mkdtempSync(path.join(os.tmpdir(), "plimsoll-ollama-cli-"));
    onCleanUp(async () => rmSync(made, { recursive: true, force: true }));
    writeFileSync(path.join(made, "Modelfile"), `FROM ${MODEL}\nPARAMETER num_ctx 2048\n`);
    folder = made;
  }
  return folder;
}

async function ollama(): Promise<string> {
  if (REAL !== undefined) return REAL;
  const simulated = createSimulatedOllama({ instant: true, seed: 7 });
  onCleanUp(() => simulated.close());
  return (await simulated.listen()).url;
}

/** Progress is redrawn in place, times and sizes of the moment differ: words that stay are compared. */
function words({ code, out, err }: Ended, url: string): object {
  const plain = (text: string): string[] =>
    text
      .replaceAll(new URL(url).host, "HOST")
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/\u001b\[[0-9;?]*[a-zA-Z]|[⠀-⣿]/g, "")
      .replaceAll(/\d+(\.\d+)? ?(ms|s|seconds?|minutes?|hours?)( ago| from now)?/g, "TIME")
      // The second to create the same finds its layers there.
      .replaceAll(/(creating new|using existing) layer/g, "layer")
      .split(/[\r\n]+/)
      // A progress is drawn as often as it takes: how often is a matter of time.
      .map((line) => line.trim().replaceAll(/\b(.+?)(?:\s+\1)+$/g, "$1"))
      .filter((line) => line !== "");
  // Models made within one second are listed in any order.
  return { code, out: plain(out).toSorted(), err: [...new Set(plain(err))] };
}

describe.skipIf(PROGRAM === undefined)("ollama", () => {
  const COMMANDS: [string, string[]][] = [
    ["list", ["list"]],
    ["show", ["show", MODEL]],
    ["show, of a model that is not there", ["show", "no-such-model"]],
    ["run", ["run", MODEL, "Name three colours."]],
    ["ps", ["ps"]],
    ["create", ["create", "plimsoll-test", "-f", "Modelfile"]],
    ["rm", ["rm", "plimsoll-test"]],
    ["pull, of what is nowhere", ["pull", "localhost:1/no/such-model"]],
    ["stop", ["stop", MODEL]],
  ];

  it("says the same through Plimsoll", async () => {
    const direct = await ollama();
    const plimsoll = await startPlimsoll(await ollama());
    const create = ["create", "plimsoll-test", "-f", path.join(home(), "Modelfile")];
    for (const [name, args] of COMMANDS) {
      const actual = args.map((word) => (word === "Modelfile" ? path.join(home(), "Modelfile") : word));
      const expected = words(await run(direct, actual), direct);
      // On one server the first to remove it has removed it.
      if (REAL !== undefined && name === "rm") await run(direct, create);
      const got = words(await run(plimsoll.url, actual), plimsoll.url);
      // A real model answers in its own words each time.
      if (REAL !== undefined && name === "run") expect(got).toMatchObject({ code: (expected as Ended).code });
      else expect({ name, ...got }).toEqual({ name, ...expected });
    }
    await plimsoll.store.flush(5000);
    const { exchanges } = await plimsoll.store.exchanges({ limit: 1000 });
    const operations = exchanges.map(({ operation }) => operation);
    expect(operations).toEqual(expect.arrayContaining(["create", "pull", "unload"]));
    const answered = exchanges.find(({ operation }) => operation === "generate" || operation === "chat");
    expect(answered).toMatchObject({ state: { phase: "completed" }, usage: { provenance: "measured" } });
    expect(exchanges.every(({ state }) => "endedAt" in state)).toBe(true);
  }, 300_000);
});
