/** `plimsoll doctor`: what it finds, and what it says to do about it. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { checkGpu, checkMemory } from "../../src/cli/doctor/memory.ts";
import { checkPort, checkUpstream } from "../../src/cli/doctor/network.ts";
import {
  parseRegistry,
  parseUnitEnvironment,
  readOllamaEnvironment,
} from "../../src/cli/doctor/ollamaEnvironment.ts";
import { judgeOllamaSettings, settingsOfRunners } from "../../src/cli/doctor/ollamaSettings.ts";
import { checkNode } from "../../src/cli/doctor/program.ts";
import { checkClock, checkRecord } from "../../src/cli/doctor/record.ts";
import { unchangedClients } from "../../src/cli/doctor/unchanged.ts";
import { parseListen } from "../../src/config.ts";
import { answering, startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, onCleanUp, startBehind } from "../support/startPlimsoll.ts";
import { plimsoll, temporaryFolder } from "./support/program.ts";

afterEach(cleanUp);

/** Answers its version to whatever is asked. */
async function anOllama() {
  const version = answering(
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 25\r\nConnection: close\r\n\r\n{"version":"0.33.0-test"}',
  );
  const upstream = await startRawUpstream(version, version);
  onCleanUp(() => upstream.close());
  return upstream;
}

async function anotherProgram() {
  const answer = answering("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
  const program = await startRawUpstream(answer, answer);
  onCleanUp(() => program.close());
  return program;
}

describe("the port", () => {
  it("is free, or holds a running Plimsoll, or Ollama itself, or another program", async () => {
    const ollama = await anOllama();
    const { port } = await startBehind(ollama);
    const other = await anotherProgram();
    expect(await checkPort(`127.0.0.1:${port}`, false)).toMatchObject({
      text: expect.stringContaining("Plimsoll 0.0.0-test is running"),
    });
    expect(await checkPort(`127.0.0.1:${ollama.port}`, false)).toMatchObject({
      state: "failed",
      text: expect.stringContaining("taken by Ollama 0.33.0-test itself"),
      advice: [expect.stringContaining("move Ollama to another port")],
    });
    expect(await checkPort(`127.0.0.1:${other.port}`, false)).toMatchObject({
      state: "failed",
      text: expect.stringContaining("another program"),
    });
    expect(await checkPort("127.0.0.1:0", false)).toMatchObject({ state: "good" });
  });

  it("needs a token where the network reaches it", async () => {
    expect(await checkPort("0.0.0.0:0", false)).toMatchObject({ state: "failed" });
    expect(await checkPort("0.0.0.0:0", true)).toMatchObject({
      state: "note",
      advice: [expect.stringContaining("without a token")],
    });
  });
});

describe("the upstream", () => {
  it("answers with its version", async () => {
    const { url } = await anOllama();
    expect(await checkUpstream(url, "127.0.0.1:1", {})).toMatchObject({
      version: "0.33.0-test",
      check: { state: "good" },
    });
  });

  it("is not Ollama, is not there, or is Plimsoll itself: each with its way out", async () => {
    const { url } = await anotherProgram();
    expect((await checkUpstream(url, "127.0.0.1:1", {})).check).toMatchObject({
      state: "failed",
      advice: [expect.stringContaining("--upstream")],
    });
    for (const [upstream, listen] of [
      ["http://127.0.0.1:7", "127.0.0.1:7"],
      ["http://localhost:7", "0.0.0.0:7"],
      ["http://[::1]:7", "[::]:7"],
    ] as const) {
      expect((await checkUpstream(upstream, listen, {})).check.text).toContain("Plimsoll itself");
    }
  });

  it("finds an Ollama that was moved by the variable Ollama itself reads", async () => {
    const { url, port } = await anOllama();
    const { check } = await checkUpstream("http://127.0.0.1:1", "127.0.0.1:2", {
      OLLAMA_HOST: `0.0.0.0:${port}`,
    });
    expect(check.advice?.join("\n")).toContain(`--upstream ${url}`);
  });
});

describe("the machine", () => {
  it("says that an old Node is old", () => {
    expect(checkNode({ node: "24.21.0", napi: "10" }, "linux").state).toBe("good");
    expect(checkNode({ node: "22.18.0", napi: "10" }, "linux").advice?.[0]).toContain("22.21");
    expect(checkNode({ node: "20.19.0" }, "linux").state).toBe("warning");
  });

  const bare = { takenAt: 0, gpus: [], runners: [], problems: [] };

  it("says what of memory is visible and why the rest is not", () => {
    const facts = { problems: [], inContainer: false, runners: 1 };
    const sample = { ...bare, totalBytes: 16 * 1024 ** 3, swapTotalBytes: 0 };
    expect(checkMemory("on", sample, facts)).toEqual({
      id: "memory",
      state: "good",
      text: "16.0 GiB, no swap, 1 of Ollama's runners visible",
    });
    const inContainer = (runners: number) =>
      checkMemory("on", sample, { ...facts, inContainer: true, runners });
    expect(inContainer(0).advice?.[0]).toContain("pid: host");
    expect(inContainer(1).advice?.[0]).toMatch(/this is a container: the figures are the host's [^,]*$/);
    expect(
      checkMemory("remote", undefined, { ...facts, problems: ["memory of that host is not visible"] }),
    ).toMatchObject({
      state: "warning",
      text: "memory of that host is not visible",
      advice: [expect.stringContaining("on the machine that Ollama runs on")],
    });
  });

  it("names the source of graphics memory, and a tool that stays silent", () => {
    const gpus = [{ id: "GPU-1", vendor: "nvidia" as const, name: "RTX 4090", totalBytes: 24 * 1024 ** 3 }];
    const facts = { tool: undefined, platform: "linux" as const };
    expect(checkGpu({ ...bare, gpus }, facts).text).toBe("RTX 4090 24.0 GiB (by nvidia-smi)");
    expect(checkGpu(bare, { ...facts, tool: "/usr/bin/nvidia-smi" }).state).toBe("warning");
    expect(checkGpu(bare, facts).state).toBe("note");
  });

  it("notices a clock that was set back, one that is years behind, and another one on Ollama's machine", () => {
    const now = Date.UTC(2026, 5, 1);
    expect(checkClock({ now }).state).toBe("good");
    expect(checkClock({ now, newestAt: now + 86_400_000 }).advice?.[0]).toContain("1440 min in the future");
    expect(checkClock({ now: 0 }).advice?.[0]).toContain("years behind");
    expect(checkClock({ now, upstreamAt: now - 600_000 }).advice?.[0]).toContain("differs by -10 min");
    expect(checkClock({ now, synchronised: false }).state).toBe("note");
  });

  it("looks at the folder of the record without making it", async () => {
    const folder = await temporaryFolder();
    expect(checkRecord(path.join(folder, "a", "b"), 1).check).toMatchObject({
      state: "good",
      text: expect.stringContaining("nothing yet"),
    });
    writeFileSync(path.join(folder, "plimsoll.db"), "no database".repeat(30));
    expect(checkRecord(folder, 1).check).toMatchObject({
      state: "failed",
      advice: [expect.stringContaining("--data-dir")],
    });
    expect(checkRecord(":memory:", 1).check.state).toBe("note");
  });
});

describe("where Ollama's settings are read", () => {
  const noProgram = () => Promise.reject(new Error("no such program"));

  it("from the environment of ollama serve, and nothing but what is needed", async () => {
    const proc = await temporaryFolder();
    mkdirSync(path.join(proc, "42"));
    const files = {
      comm: "ollama\n",
      cmdline: "/usr/bin/ollama\0serve\0",
      environ: "HOME=/x\0OLLAMA_KV_CACHE_TYPE=q8_0\0API_KEY=secret\0LLAMA_ARG_CACHE_RAM=2048\0",
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(proc, "42", name), text);
    expect(await readOllamaEnvironment("linux", noProgram, proc)).toEqual({
      variables: { OLLAMA_KV_CACHE_TYPE: "q8_0", LLAMA_ARG_CACHE_RAM: "2048" },
      source: "environment of ollama serve (process 42)",
      complete: true,
    });
  });

  it("from its systemd unit where the process is another user's", async () => {
    const unit = 'LoadState=loaded\nEnvironment=OLLAMA_HOST=0.0.0.0 "OLLAMA_ORIGINS=a b" SECRET=x\n';
    const found = await readOllamaEnvironment("linux", async () => unit, await temporaryFolder());
    expect(found).toMatchObject({
      variables: { OLLAMA_HOST: "0.0.0.0", OLLAMA_ORIGINS: "a b" },
      complete: false,
    });
    expect(parseUnitEnvironment(String.raw`Environment="OLLAMA_ORIGINS=say \"x\""`)).toEqual({
      OLLAMA_ORIGINS: 'say "x"',
    });
  });

  it("from launchctl, from the registry, or nowhere", async () => {
    const launchctl = async (_: string, [, name]: string[]) => (name === "OLLAMA_KEEP_ALIVE" ? "-1\n" : "");
    expect((await readOllamaEnvironment("darwin", launchctl)).variables).toEqual({ OLLAMA_KEEP_ALIVE: "-1" });
    const registry =
      "\r\nHKEY_CURRENT_USER\\Environment\r\n    Path    REG_EXPAND_SZ    C:\\x\r\n    OLLAMA_HOST    REG_SZ    0.0.0.0\r\n";
    expect(parseRegistry(registry)).toEqual({ OLLAMA_HOST: "0.0.0.0" });
    expect(await readOllamaEnvironment("linux", noProgram, await temporaryFolder())).toMatchObject({
      variables: {},
      source: "no ollama serve is visible here",
    });
  });
});

describe("what Ollama's settings mean", () => {
  const judge = (variables: Record<string, string>, more = {}) => {
    const facts = {
      variables,
      complete: true,
      version: "0.33.0",
      hasGpu: false,
      totalBytes: 32 * 1024 ** 3,
      ...more,
    };
    return Object.fromEntries(judgeOllamaSettings(facts).map((setting) => [setting.name, setting]));
  };

  it("names what holds when nothing is set, as measured only where the environment was seen", () => {
    const all = judge({});
    expect(all["OLLAMA_KV_CACHE_TYPE"]).toMatchObject({ effect: "f16", provenance: "measured" });
    expect(all["LLAMA_ARG_CACHE_RAM"]?.effect).toContain("8192 MiB");
    expect(all["LLAMA_ARG_CACHE_RAM"]?.advice).toContain("2.0 GiB");
    expect(all["OLLAMA_MAX_LOADED_MODELS"]?.advice).toContain("without a graphics card");
    expect(judge({}, { complete: false })["OLLAMA_KEEP_ALIVE"]?.provenance).toBe("assumed");
  });

  it.each([
    ["OLLAMA_KV_CACHE_TYPE", "q8", /not accepted: every load fails/],
    ["OLLAMA_KV_CACHE_TYPE", "Q8_0", /^q8_0$/],
    ["OLLAMA_KEEP_ALIVE", "-1", /for ever/],
    ["OLLAMA_KEEP_ALIVE", "0", /not at all/],
    ["OLLAMA_KEEP_ALIVE", "soon", /5m is taken/],
    ["OLLAMA_KEEP_ALIVE", "30m", /^30m after/],
    ["OLLAMA_NUM_PARALLEL", "4", /4 slots/],
    ["LLAMA_ARG_CACHE_RAM", "0", /no earlier prompts/],
    ["LLAMA_ARG_CACHE_RAM", "-1", /without a limit/],
    ["OLLAMA_HOST", "0.0.0.0", /open to the network/],
    ["OLLAMA_ORIGINS", "http://a,*", /every web page/],
    ["OLLAMA_GPU_OVERHEAD", "1000", /does not reach the runner/],
    ["OLLAMA_FLASH_ATTENTION", "0", /^off$/],
    ["OLLAMA_CONTEXT_LENGTH", "8192", /^8192 /],
  ])("%s=%s", (name, value, effect) => {
    expect(judge({ [name]: value })[name]).toMatchObject({ value, effect: expect.stringMatching(effect) });
  });

  it("knows which version knows what", () => {
    const old = { version: "0.24.0" };
    expect(judge({}, old)["LLAMA_ARG_CACHE_RAM"]).toBeUndefined();
    expect(judge({ OLLAMA_KV_CACHE_TYPE: "q4_1" }, old)["OLLAMA_KV_CACHE_TYPE"]?.effect).toContain(
      "f16 is taken",
    );
    expect(
      judge({ OLLAMA_KV_CACHE_TYPE: "q8_0", OLLAMA_FLASH_ATTENTION: "false" })["OLLAMA_KV_CACHE_TYPE"]
        ?.effect,
    ).toContain("loads fail");
  });

  it("learns from runners what cannot be read", () => {
    expect(settingsOfRunners([{ parallel: 1 }, { kvCacheTypeK: "q8_0", parallel: 4 }])).toEqual({
      OLLAMA_KV_CACHE_TYPE: "q8_0",
      OLLAMA_NUM_PARALLEL: "4",
    });
    expect(settingsOfRunners([])).toEqual({});
  });
});

it.each(["linux", "darwin", "win32", "freebsd"] as const)(
  "shows the set-up without a changed client on %s",
  (platform) => {
    const { commands, ollama, listen } = unchangedClients(platform);
    expect(commands.join("\n")).toContain(`OLLAMA_HOST`);
    expect(commands.at(-2)).toBe(`plimsoll --listen ${listen} --upstream http://${ollama}`);
    expect(commands.at(-1)).toContain(
      `plimsoll service install --listen ${listen} --upstream http://${ollama}`,
    );
    expect(parseListen(listen)?.port).toBe(11434);
  },
);

it("prints for people and as JSON, and ends with 1 while Ollama is missing", async () => {
  const folder = await temporaryFolder();
  const ollama = await anOllama();
  const where = ["--listen", "127.0.0.1:0", "--data-dir", folder];
  const [bad, good] = await Promise.all([
    plimsoll(["doctor", "--upstream", "http://127.0.0.1:1", ...where]).ended,
    plimsoll(["doctor", "--json", "--upstream", ollama.url, ...where]).ended,
  ]);
  expect(bad.code).toBe(1);
  expect(bad.out).toMatch(/FAIL +upstream +Ollama does not answer at http:\/\/127\.0\.0\.1:1/);
  expect(bad.out).toContain("OLLAMA_KV_CACHE_TYPE");
  expect(good).toMatchObject({ code: 0, err: "" });
  const { checks } = JSON.parse(good.out) as { checks: { id: string }[] };
  expect(checks.map(({ id }) => id)).toEqual([
    "node",
    "settings",
    "port",
    "upstream",
    "memory",
    "gpu",
    "record",
    "clock",
  ]);
});
