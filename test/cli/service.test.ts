/** `plimsoll service`: what is written, what is run, and what each system makes of it. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { obstacle, planFor } from "../../src/cli/service.ts";
import { plistText } from "../../src/cli/service/launchd.ts";
import { unitText } from "../../src/cli/service/systemd.ts";
import { taskText } from "../../src/cli/service/windowsTask.ts";
import { cleanUp } from "../support/startPlimsoll.ts";
import { plimsoll, temporaryFolder } from "./support/program.ts";

afterEach(cleanUp);

const request = {
  command: [process.execPath, "/opt/plimsoll/main.js", "serve", "--data-dir", '/data/100% $HOME "x"'],
  home: "/home/someone",
  userId: 1000,
  system: false,
};

describe("the systemd unit", () => {
  it.each([true, false])("hides no runner and outlives the moment it is for (system: %s)", (system) => {
    const unit = unitText({ ...request, system });
    expect(unit).toMatch(/^MemorySwapMax=0$/m);
    expect(unit).toMatch(/^OOMScoreAdjust=-\d+$/m);
    expect(unit).toMatch(/^RestartPreventExitStatus=78$/m);
    // Each of these would hide other users' processes, end Node, or hide the graphics card.
    expect(unit).not.toMatch(
      /^(ProtectProc|ProcSubset|PrivateUsers|MemoryDenyWriteExecute|PrivateDevices)=/m,
    );
  });

  it("gives a user's manager nothing that would need a namespace", () => {
    expect(unitText({ ...request, system: false })).not.toMatch(/^(Protect|Private|DynamicUser)/m);
  });

  it("writes arguments so that systemd leaves them as they are", () => {
    expect(unitText(request)).toContain(String.raw`"/data/100%% $$HOME \"x\""`);
  });

  const analyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
  it.skipIf(!analyze).each([true, false])("is accepted by systemd itself (system: %s)", async (system) => {
    const file = path.join(await temporaryFolder(), "plimsoll.service");
    await writeFile(file, unitText({ ...request, command: [process.execPath, "x.js"], system }));
    const verdict = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
    expect(verdict.stderr.split("\n").filter((line) => line.includes("plimsoll"))).toEqual([]);
    expect(verdict.status).toBe(0);
  });
});

describe("the other systems", () => {
  it("launchd: a property list with every word apart", () => {
    const text = plistText(["/node", "a&b", "<c>"], "/log");
    expect(text).toContain("<string>a&amp;b</string>\n    <string>&lt;c&gt;</string>");
    expect(planFor("darwin", request).install).toEqual([
      ["launchctl", "bootstrap", "gui/1000", "/home/someone/Library/LaunchAgents/plimsoll.plist"],
    ]);
  });

  it("Windows: a task without the limits that would end it, arguments quoted as its own parser reads them", () => {
    const text = taskText(["C:\\node.exe", "C:\\with space\\", 'say "x"']);
    expect(text).toContain("<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>");
    expect(text).toContain("<DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>");
    expect(text).toContain(String.raw`<Arguments>"C:\with space\\" "say \"x\""</Arguments>`);
    expect(planFor("win32", request).file.encoding).toBe("utf16le");
  });

  it("says what it does not know", () => {
    expect(() => planFor("freebsd", request)).toThrow(/freebsd/);
    expect(() => planFor("darwin", { ...request, system: true })).toThrow(/systemd only/);
  });
});

it("refuses what would not start: a copy of npx, a home that a system service cannot read", () => {
  expect(obstacle("/home/x/.npm/_npx/1/node_modules/plimsoll/dist/server/main.js", false, "/home/x")).toMatch(
    /npm install -g plimsoll/,
  );
  expect(obstacle("/home/x/plimsoll/main.js", true, "/home/x")).toMatch(/home/);
  expect(obstacle("/home/x/plimsoll/main.js", false, "/home/x")).toBeUndefined();
});

describe.skipIf(process.platform !== "linux")("on this system", () => {
  /** A systemctl that notes what it was asked, and answers that the unit runs while it is enabled. */
  async function fakeSystemctl() {
    const folder = await temporaryFolder();
    const calls = path.join(folder, "calls");
    const program = path.join(folder, "systemctl");
    await writeFile(
      program,
      `#!/bin/sh\necho "$@" >> ${calls}\ncase "$*" in *is-active*) grep -q enable ${calls};; esac\n`,
    );
    await chmod(program, 0o755);
    const environment = { PATH: `${folder}:${process.env["PATH"]}`, HOME: folder };
    return {
      file: path.join(folder, ".config/systemd/user/plimsoll.service"),
      calls: () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []),
      run: (...args: string[]) => plimsoll(["service", ...args], environment).ended,
    };
  }

  it("--dry-run prints all and does nothing", async () => {
    const { run, file, calls } = await fakeSystemctl();
    const { out, code } = await run(
      "install",
      "--dry-run",
      "--listen",
      "127.0.0.1:11434",
      "--data-dir",
      "here",
    );
    expect(code).toBe(0);
    expect(out).toContain(`"--listen" "127.0.0.1:11434" "--data-dir" "${path.resolve("here")}"`);
    expect(out).toContain("systemctl --user enable plimsoll.service");
    expect(out).toMatch(/^# It runs while you are logged in.*enable-linger$/m);
    expect(existsSync(file)).toBe(false);
    expect(calls()).toEqual([]);
  });

  it("--dry-run says what would keep it from being installed", async () => {
    const environment = { HOME: path.dirname(process.execPath) };
    const ended = await plimsoll(["service", "install", "--system", "--dry-run"], environment).ended;
    expect(ended).toMatchObject({
      code: 0,
      out: expect.stringContaining("/etc/systemd/system/plimsoll.service"),
      err: expect.stringContaining("install would end here: a system service cannot read home directories"),
    });
  });

  it("installs, tells that it runs, and removes what it wrote", async () => {
    const { run, file, calls } = await fakeSystemctl();
    expect(await run("status", "--json")).toMatchObject({
      code: 1,
      out: expect.stringContaining('"installed":false'),
    });
    const installed = await run("install");
    expect(installed).toMatchObject({ code: 0, out: "" });
    expect(installed.err).toContain("loginctl enable-linger");
    expect(readFileSync(file, "utf8")).toContain("ExecStart=");
    expect(calls()).toEqual([
      "--user daemon-reload",
      "--user enable plimsoll.service",
      "--user restart plimsoll.service",
    ]);
    const status = await run("status", "--json");
    expect(JSON.parse(status.out)).toEqual({
      kind: "systemd user unit",
      file,
      installed: true,
      active: true,
    });
    expect((await run("uninstall")).code).toBe(0);
    expect(existsSync(file)).toBe(false);
    expect(await run("uninstall")).toMatchObject({
      code: 0,
      err: expect.stringContaining("There is no systemd user unit"),
    });
  });

  it("keeps a token off the command line, and asks for a word", async () => {
    const { run } = await fakeSystemctl();
    expect(await run("install", "--token", "secret-token")).toMatchObject({
      code: 2,
      err: expect.not.stringContaining("secret-token"),
    });
    expect(await run("start")).toMatchObject({ code: 2, err: expect.stringContaining('not "start"') });
  });
});

it("prints XML that a parser accepts", () => {
  const python = spawnSync("python3", ["--version"]).status === 0;
  if (!python) return;
  const script =
    "import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.stdin.read().replace('UTF-16', 'UTF-8').encode())";
  for (const text of [plistText(request.command, "/log"), taskText(request.command)]) {
    execFileSync("python3", ["-c", script], { input: text });
  }
});
