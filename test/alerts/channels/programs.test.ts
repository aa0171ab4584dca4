/** The desktop and command channels with real programs that a test writes. */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Channel } from "../../../src/alerts/channels/channel.ts";
import { createCommand } from "../../../src/alerts/channels/command.ts";
import { createDesktop, type Programs } from "../../../src/alerts/channels/desktop.ts";
import { thisMachinesPrograms } from "../../../src/alerts/channels/programs.ts";
import { cleanUp, onCleanUp } from "../../support/startPlimsoll.ts";
import { waitFor } from "../../support/waitFor.ts";
import { aMessage, HOSTILE } from "./support.ts";

let folder = "";
let started = 0;

beforeEach(async () => {
  started = 0;
  folder = await mkdtemp(path.join(os.tmpdir(), "plimsoll-alert-"));
  onCleanUp(() => rm(folder, { recursive: true, force: true }));
});
afterEach(cleanUp);

function programs(overrides: Partial<Programs> = {}): Programs {
  const real = thisMachinesPrograms();
  return {
    ...real,
    platform: "linux",
    environment: { DISPLAY: ":0" },
    spawn: (command, args, environment) => {
      started += 1;
      return real.spawn(command, args, { PATH: `${folder}:${process.env["PATH"]}`, ...environment });
    },
    ...overrides,
  };
}

async function script(name: string, text: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, `#!/bin/sh\n${text}\n`);
  await chmod(file, 0o755);
  return file;
}

function send(channel: Channel, message = aMessage(), timeoutMs = 5000): Promise<void> {
  onCleanUp(async () => channel.close?.());
  return channel.send(message, AbortSignal.timeout(timeoutMs));
}

const command = (...parts: string[]) => ({ type: "command", command: parts, minimumLevel: "warn" }) as const;

describe.skipIf(process.platform === "win32")("a command", () => {
  it("gets the alert as JSON on its input, its arguments as they are, and the facts in its environment", async () => {
    const out = path.join(folder, "out");
    const file = await script(
      "on-alert",
      `cat >"$1.json"; printf '%s\\n' "$2" "$PLIMSOLL_ALERT_STATE" "$PLIMSOLL_ALERT_LEVEL" "$PLIMSOLL_ALERT_FIX" >"$1.txt"`,
    );
    await send(createCommand(command(file, out, "$(touch x) 'y'"), programs()));
    expect(JSON.parse(await readFile(`${out}.json`, "utf8"))).toMatchObject({
      version: 1,
      level: "warn",
      episode: { id: "episode-1" },
    });
    expect((await readFile(`${out}.txt`, "utf8")).split("\n").slice(0, 4)).toEqual([
      "$(touch x) 'y'",
      "raised",
      "warn",
      "systemctl edit ollama",
    ]);
  });

  it("runs nothing that a model's name says", async () => {
    const out = path.join(folder, "out");
    const file = await script("on-alert", `printf '%s\\n' "$PLIMSOLL_ALERT_TEXT" >"$1"; cat >>"$1"`);
    await send(createCommand(command(file, out), programs()), aMessage({ text: HOSTILE, id: HOSTILE }));
    const said = await readFile(out, "utf8");
    expect(said).toContain("$(touch /tmp/plimsoll-was-here)");
    await expect(readFile("/tmp/plimsoll-was-here")).rejects.toThrow(/ENOENT/);
  });

  it("is started by a helper that runs from the start: no fork of ours for a message", async () => {
    const file = await script("on-alert", "cat >/dev/null");
    const channel = createCommand(command(file), programs());
    channel.start?.();
    expect(started).toBe(1);
    await send(channel);
    await send(channel);
    expect(started).toBe(1);
  });

  it.each([
    ["fails", "exit 3", /exit code 3/],
    ["reads nothing", "exit 0", undefined],
    ["prints a lot", "yes | head -c 10000000", undefined],
    ["prints what looks like an answer", "echo done 5", undefined],
  ])("that %s", async (_name, text, problem) => {
    const file = await script("on-alert", text);
    const sent = send(createCommand(command(file), programs()));
    await (problem === undefined ? sent : expect(sent).rejects.toThrow(problem));
  });

  it("that is not there, or may not be run, is said", async () => {
    await expect(send(createCommand(command(path.join(folder, "nothing")), programs()))).rejects.toThrow(
      /no such program/,
    );
    const file = path.join(folder, "plain");
    await writeFile(file, "x");
    await expect(send(createCommand(command(file), programs()))).rejects.toThrow(/executable/);
  });

  it("that hangs is ended with all it started, and the next message works", async () => {
    const pidFile = path.join(folder, "pid");
    const file = await script("on-alert", `[ -e "$1" ] && exit 0; sleep 1000 & echo $! >"$1"; wait`);
    const channel = createCommand(command(file, pidFile), programs());
    await expect(send(channel, aMessage(), 1000)).rejects.toThrow(/in time/);
    const pid = Number(await readFile(pidFile, "utf8"));
    await waitFor(() => !isRunning(pid));
    await send(channel);
  });

  it("on Windows' way, without a shell, is told the same", async () => {
    const out = path.join(folder, "out");
    const file = await script("on-alert", `cat >"$1"; exit 4`);
    const channel = createCommand(command(file, out), programs({ platform: "windows" }));
    await expect(send(channel)).rejects.toThrow(/exit code 4/);
    expect(JSON.parse(await readFile(out, "utf8"))).toMatchObject({ version: 1 });
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(process.platform === "win32")("the desktop", () => {
  it.each(["linux", "macos"] as const)("is told by %s's own program, text in arguments", async (platform) => {
    const program = platform === "linux" ? "notify-send" : "osascript";
    await script(program, `printf '%s\\n' "$@" >"${folder}/out"`);
    await send(createDesktop({ minimumLevel: "warn" }, programs({ platform })), aMessage({ text: HOSTILE }));
    const said = (await readFile(path.join(folder, "out"), "utf8")).split("\n");
    expect(said).toContain("Plimsoll: memory will run short");
    expect(said.some((line) => line.includes("$(touch /tmp/plimsoll-was-here)"))).toBe(true);
    expect(said.slice(0, 4)).toEqual(
      platform === "linux"
        ? ["-a", "Plimsoll", "-u", "normal"]
        : ["-e", "on run argv", "-e", "display notification (item 2 of argv) with title (item 1 of argv)"],
    );
  });

  it("says when there is none", async () => {
    const channel = createDesktop({ minimumLevel: "warn" }, programs({ environment: {} }));
    channel.start?.();
    expect(started).toBe(0);
    expect(channel.unusable).toMatch(/no desktop session/);
    await expect(send(channel)).rejects.toThrow(/no desktop session/);
  });

  it("says when the program is missing or fails", async () => {
    const bare = programs({
      spawn: (name, args) => thisMachinesPrograms().spawn(name, args, { PATH: folder }),
    });
    await expect(send(createDesktop({ minimumLevel: "warn" }, bare))).rejects.toThrow(
      /notify-send is not installed/,
    );
    await script("notify-send", "exit 1");
    await expect(send(createDesktop({ minimumLevel: "warn" }, programs()))).rejects.toThrow(/exit code 1/);
  });
});
