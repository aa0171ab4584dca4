/** The program as people start it: what it says, where it says it, and how it ends. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, onCleanUp } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";
import { plimsoll, temporaryFolder, type Running } from "./support/program.ts";

afterEach(cleanUp);

async function anUpstream() {
  const upstream = await startRawUpstream(() => {});
  onCleanUp(() => upstream.close());
  return upstream;
}

async function serving(
  args: string[],
  environment?: Record<string, string>,
): Promise<Running & { port: number }> {
  const running = plimsoll(["serve", "--listen", "127.0.0.1:0", ...args], environment);
  await waitFor(() => running.err().includes("record"), { timeoutMs: 15_000 });
  return { ...running, port: Number(/clients +http:\/\/127\.0\.0\.1:(\d+)/.exec(running.err())?.[1]) };
}

describe("words and exit codes", () => {
  it.each<[string, string[], number, "out" | "err", RegExp]>([
    ["help", ["--help"], 0, "out", /127\.0\.0\.1:11435[^]*serve[^]*demo[^]*forget/],
    ["help of a command", ["serve", "--help"], 0, "out", /--upstream URL/],
    ["the version", ["--version"], 0, "out", /^\d+\.\d+\.\d+\n$/],
    ["an unknown command", ["sevre"], 2, "err", /no command "sevre"; did you mean "serve"\?/],
    ["a word for it", ["status"], 2, "err", /no command "status"; did you mean "top --once"\?/],
    ["a word like none", ["xyzzy"], 2, "err", /no command "xyzzy"\. See plimsoll --help\.\n$/],
    [
      "an unknown flag",
      ["--upsteam", "x"],
      2,
      "err",
      /no option --upsteam; did you mean --upstream\? See plimsoll serve --help\.\n$/,
    ],
    ["a count that is none", ["predict", "x", "--ctx", "abc"], 2, "err", /--ctx "abc" is no count/],
    ["a bad value", ["--listen", "x:y:z"], 78, "err", /--listen: "x:y:z" is not valid: expected host:port/],
    ["a wide listener without a token", ["--listen", "0.0.0.0:0"], 78, "err", /needs a token: set --token/],
    [
      "a missing settings file",
      ["--config", "/no/such.json"],
      78,
      "err",
      /--config \/no\/such\.json cannot be read/,
    ],
    [
      "a file that is not there",
      ["predict", "no.gguf"],
      1,
      "err",
      /^plimsoll: there is no file no\.gguf\.\n$/,
    ],
    [
      "a model, and no Ollama",
      ["predict", "x", "--upstream", "http://127.0.0.1:9"],
      1,
      "err",
      /does not answer at .*or name where it is with --upstream\.\n$/,
    ],
    ["a table that is not named", ["export"], 2, "err", /: export: name a table: exchanges, .*alerts\n$/],
    [
      "a service without a word",
      ["service"],
      2,
      "err",
      /: service: name one of install, uninstall, status\n$/,
    ],
    [
      "a word too many",
      ["chats", "a", "b"],
      2,
      "err",
      /^plimsoll: Unexpected argument 'b'\. See plimsoll chats --help\.\n$/,
    ],
    [
      "an option without its value",
      ["export", "loads", "--from"],
      2,
      "err",
      /'--from <value>' argument missing\. See plimsoll export --help\.\n$/,
    ],
    ["an alert without --test", ["alert"], 2, "err", /say --test/],
    ["nothing to forget", ["forget"], 2, "err", /name one of --before DAY, --conversation ID or --all/],
    ["a day that is none", ["forget", "--before", "soon"], 2, "err", /"soon" is no day: expected 2026-01-31/],
  ])("%s", async (_name, args, code, stream, words) => {
    const ended = await plimsoll(args).ended;
    expect(ended[stream]).toMatch(words);
    expect(ended.code).toBe(code);
    expect(stream === "out" ? ended.err : ended.out).toBe("");
  });

  it("names the unknown key of a settings file, and the nearest known one", async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, "config.json");
    await writeFile(file, '{"listn":"127.0.0.1:1"}');
    const ended = await plimsoll([], { PLIMSOLL_CONFIG: file }).ended;
    expect(ended).toMatchObject({
      code: 78,
      err: expect.stringContaining(`unknown key "listn" in ${file}; did you mean "listen"?`),
    });
  });
});

describe("alert --test", () => {
  const channels = JSON.stringify([
    { type: "log" },
    { type: "webhook", name: "team", url: "http://127.0.0.1:1/SECRET" },
  ]);
  const settings = { PLIMSOLL_ALERTS_CHANNELS: channels };

  it("without a running Plimsoll sends from here and says how each went", async () => {
    const listen = ["--listen", `127.0.0.1:${await freePort()}`];
    const ended = await plimsoll(["alert", "--test", ...listen], settings).ended;
    expect(ended.code).toBe(1);
    expect(ended.out).toMatch(/^log +delivered in \d+ ms\nteam +not delivered: cannot be reached/);
    expect(ended.err).toContain("test message");
    expect(ended.out + ended.err).not.toContain("SECRET");
    const one = await plimsoll(["alert", "--test", "--channel", "log", "--json", ...listen], settings).ended;
    expect(one.code).toBe(0);
    expect(JSON.parse(one.out)).toMatchObject({ test: [{ channel: "log", delivered: true }] });
    const none = await plimsoll(["alert", "--test", "--channel", "nobody", ...listen], settings).ended;
    expect(none).toMatchObject({ code: 1, err: expect.stringContaining("there are log, team") });
  });

  it("has the running Plimsoll send", async () => {
    const upstream = await anUpstream();
    const running = await serving(["--upstream", upstream.url, "--data-dir", ":memory:"], settings);
    const ended = await plimsoll([
      "alert",
      "--test",
      "--channel",
      "log",
      "--listen",
      `127.0.0.1:${running.port}`,
    ]).ended;
    expect(ended).toMatchObject({ code: 0, err: "" });
    expect(running.err()).toContain("test message");
  });
});

it("says at the start who is told of alerts, and what the guard does, when it is on", async () => {
  const quiet = ["--upstream", (await anUpstream()).url, "--data-dir", ":memory:"];
  const usual = await serving(quiet);
  await waitFor(() => usual.err().includes("alerts"));
  expect(usual.err()).toMatch(/^ {2}alerts {5}the page, log$/m);
  expect(usual.err()).not.toContain("guard");
  const guarded = await serving(quiet, {
    PLIMSOLL_GUARD_MODE: "refuse",
    PLIMSOLL_ALERTS_CHANNELS: "log,desktop",
  });
  await waitFor(() => guarded.err().includes("guard "));
  expect(guarded.err()).toMatch(/^ {2}guard {6}refuses loads/m);
  const health = await fetch(`http://127.0.0.1:${guarded.port}/plimsoll/healthz`);
  expect(await health.json()).toMatchObject({ channels: [{ channel: "log" }, { state: "failing" }] });
});

describe("starting", () => {
  it("says where clients connect, where the page is and what it keeps, and starts without Ollama", async () => {
    const folder = await temporaryFolder();
    const running = await serving(["--upstream", "http://127.0.0.1:1", "--data-dir", folder]);
    expect(running.err()).toContain(`page       http://127.0.0.1:${running.port}/plimsoll/`);
    expect(running.err()).toContain(folder);
    await waitFor(() => running.err().includes("does not answer at http://127.0.0.1:1"));
    expect(running.err()).toContain("Start it (ollama serve, or its app)");
    const ready = await fetch(`http://127.0.0.1:${running.port}/plimsoll/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ upstream: { reachable: false } });
    expect(running.out()).toBe("");
  });

  it("refuses an upstream that is itself, by asking it", async () => {
    const port = await freePort();
    const ended = await plimsoll([
      "--listen",
      `127.0.0.1:${port}`,
      "--upstream",
      `http://localhost:${port}`,
      "--data-dir",
      ":memory:",
    ]).ended;
    expect(ended.code).toBe(78);
    expect(ended.err).toContain("is Plimsoll itself");
  });

  it.each(["serve", "demo"])("%s says who has the port and which flag changes it", async (command) => {
    const upstream = await anUpstream();
    const memory = command === "serve" ? ["--data-dir", ":memory:"] : [];
    const ended = await plimsoll([command, "--listen", `127.0.0.1:${upstream.port}`, ...memory]).ended;
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(
      new RegExp(`127\\.0\\.0\\.1:${upstream.port} is taken by another program.*--listen`),
    );
  });

  it("refuses a second instance on one data directory within 2 s, and a killed one leaves no lock", async () => {
    const folder = await temporaryFolder();
    const upstream = await anUpstream();
    const first = await serving(["--upstream", upstream.url, "--data-dir", folder]);
    const startedAt = performance.now();
    const second = await plimsoll(["serve", "--listen", "127.0.0.1:0", "--data-dir", folder]).ended;
    // Starting Node takes its share of this on a busy machine.
    expect(performance.now() - startedAt).toBeLessThan(4000);
    expect(second.code).toBe(1);
    expect(second.err).toContain(folder);
    first.child.kill("SIGKILL");
    await first.ended;
    await serving(["--upstream", upstream.url, "--data-dir", folder]);
  });

  it("runs without recording when the data directory cannot be used, and says so", async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, "file"), "");
    const running = await serving([
      "--upstream",
      "http://127.0.0.1:1",
      "--data-dir",
      path.join(folder, "file", "x"),
    ]);
    expect(running.err()).toMatch(/record +.*file/);
    const health = await fetch(`http://127.0.0.1:${running.port}/plimsoll/healthz`);
    expect(await health.json()).toMatchObject({ recorder: { state: "off" } });
  });
});

describe("stopping", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "%s ends it in order, with everything on record",
    async (signal) => {
      const folder = await temporaryFolder();
      const upstream = await anUpstream();
      const running = await serving(["--upstream", upstream.url, "--data-dir", folder]);
      await fetch(`http://127.0.0.1:${running.port}/plimsoll/healthz`);
      running.child.kill(signal);
      const { code } = await running.ended;
      expect(code).toBe(signal === "SIGTERM" ? 0 : 130);
    },
  );

  it("a second signal cuts what is still running at once", async () => {
    const upstream = await anUpstream();
    const running = await serving(["--upstream", upstream.url, "--data-dir", ":memory:"]);
    const asked = fetch(`http://127.0.0.1:${running.port}/api/chat`, { method: "POST", body: "{}" });
    await waitFor(() => upstream.connections.length > 0);
    running.child.kill("SIGTERM");
    await waitFor(() => running.err().includes("stopping"));
    const cutAt = performance.now();
    running.child.kill("SIGTERM");
    await expect(asked).rejects.toThrow();
    expect((await running.ended).code).toBe(0);
    expect(performance.now() - cutAt).toBeLessThan(5000);
  });
});

it("forgets while it is running, through the running instance", async () => {
  const folder = await temporaryFolder();
  const upstream = await anUpstream();
  const running = await serving(["--upstream", upstream.url, "--data-dir", folder]);
  await fetch(`http://127.0.0.1:${running.port}/api/x`, { signal: AbortSignal.timeout(300) }).catch(() => {});
  const list = async (): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${running.port}/plimsoll/api/exchanges`);
    return ((await answer.json()) as { exchanges: unknown[] }).exchanges.length;
  };
  await waitFor(async () => (await list()) === 1);
  const ended = await plimsoll([
    "forget",
    "--all",
    "--json",
    "--data-dir",
    folder,
    "--listen",
    `127.0.0.1:${running.port}`,
  ]).ended;
  expect(ended.err).toBe("");
  expect(JSON.parse(ended.out)).toMatchObject({ exchanges: 1 });
  expect(await list()).toBe(0);
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  return port;
}
