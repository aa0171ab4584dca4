/** `plimsoll export`: what was recorded comes out again, beside a running instance as well. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parseCsv } from "../../src/memory/csv.ts";
import { readRecordedRun } from "../../src/memory/replay.ts";
import { openStore, type Store } from "../../src/store/client.ts";
import type { Exchange, MemorySample } from "../../src/types.ts";
import { cleanUp, onCleanUp, silentLog } from "../support/startPlimsoll.ts";
import { plimsoll, temporaryFolder } from "./support/program.ts";

afterEach(cleanUp);

const GIB = 1024 ** 3;
const START = Date.parse("2026-03-01T00:00:00Z");

async function record(folder: string, fill: (store: Store) => void): Promise<Store> {
  const store = await openStore({
    dataDir: folder,
    now: () => START + 3_600_000,
    monotonic: () => performance.now(),
    log: silentLog,
    retention: {
      rawSampleHours: 6,
      tenSecondSampleDays: 7,
      minuteSampleDays: 90,
      exchangeDays: 365,
      otherExchangeDays: 7,
    },
  });
  onCleanUp(() => store.close());
  fill(store);
  expect(await store.flush(5000)).toBe(true);
  return store;
}

function exchange(index: number, model = "gemma3:270m"): Exchange {
  return {
    id: `x${index}`,
    startedAt: START + index * 1000,
    operation: "chat",
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    model,
    client: { name: "test" },
    requestBytes: 10,
    responseBytes: 20,
    chunkCount: 2,
    state: { phase: "completed", endedAt: START + index * 1000 + 500 },
    notices: [],
  };
}

function sample(index: number): MemorySample {
  return {
    takenAt: START + index * 1000,
    totalBytes: 16 * GIB,
    availableBytes: 8 * GIB - index * 1024,
    headroomBytes: 7 * GIB - index * 1024,
    floorBytes: GIB,
    swapOutBytesPerSecond: index / 3,
    limit: { bytes: 12 * GIB, usedBytes: GIB + index },
    gpus: [],
    runners: [],
    problems: [],
  };
}

const inFolder = (folder: string, ...args: string[]) =>
  plimsoll(["export", ...args, "--data-dir", folder]).ended;

describe("beside a running instance", () => {
  it("writes every exchange as CSV and as JSON, oldest first, and leaves the record alone", async () => {
    const folder = await temporaryFolder();
    const count = 1203;
    const store = await record(folder, (open) => {
      for (let index = 0; index < count; index += 1) open.saveExchange(exchange(index));
    });
    const [csv, json, lines, some] = await Promise.all([
      inFolder(folder, "exchanges"),
      inFolder(folder, "exchanges", "--json"),
      inFolder(folder, "exchanges", "--format", "jsonl"),
      inFolder(
        folder,
        "exchanges",
        "--json",
        "--from",
        "2026-03-01T00:00:05Z",
        "--to",
        "2026-03-01T00:00:07Z",
      ),
    ]);
    expect([csv.err, json.err, lines.err, some.err]).toEqual(["", "", "", ""]);
    const rows = parseCsv(csv.out).rows;
    expect(rows.map((row) => row.text("id"))).toEqual(
      Array.from({ length: count }, (_, index) => `x${index}`),
    );
    expect(JSON.parse(json.out)).toHaveLength(count);
    expect((JSON.parse(json.out) as Exchange[])[7]).toEqual(exchange(7));
    expect(
      lines.out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Exchange),
    ).toEqual(JSON.parse(json.out));
    expect((JSON.parse(some.out) as Exchange[]).map(({ id }) => id)).toEqual(["x5", "x6"]);
    store.saveExchange(exchange(count));
    expect(await store.flush(5000)).toBe(true);
    expect(store.health().state).toBe("on");
  });

  it("guards names that a spreadsheet would run", async () => {
    const folder = await temporaryFolder();
    await record(folder, (open) => open.saveExchange(exchange(0, `=HYPERLINK("http://x")`)));
    const { out } = await inFolder(folder, "exchanges");
    expect(parseCsv(out).rows[0]?.text("model")).toBe(`'=HYPERLINK("http://x")`);
  });
});

it("writes conversations without their turns, and what was alerted", async () => {
  const folder = await temporaryFolder();
  await record(folder, (open) => {
    open.saveConversation({
      conversation: { id: "c1", model: "m", startedAt: START, lastAt: START + 5, turnCount: 2, notices: [] },
    });
    open.saveEpisode({ id: "e1", level: "warn", startedAt: START, causes: [], remedies: [] });
  });
  const [conversations, alerts] = await Promise.all([
    inFolder(folder, "conversations", "--json"),
    inFolder(folder, "alerts"),
  ]);
  expect(JSON.parse(conversations.out)).toMatchObject([{ id: "c1", turnCount: 2 }]);
  expect(parseCsv(alerts.out).rows[0]?.text("level")).toBe("warn");
});

it("writes samples that can be played back", async () => {
  const folder = await temporaryFolder();
  const store = await record(folder, (open) => {
    for (let index = 0; index < 700; index += 1) open.saveSample(sample(index));
  });
  await store.close();
  const { out, code } = await inFolder(folder, "samples");
  expect(code).toBe(0);
  const file = path.join(folder, "samples.csv");
  await writeFile(file, out);
  const { samples } = readRecordedRun(file);
  expect(samples).toHaveLength(700);
  expect(samples[699]).toEqual({ ...sample(699), takenAt: 699_000 });
  const rolled = await inFolder(folder, "samples", "--span", "60");
  expect(parseCsv(rolled.out).rows.map((row) => row.number("takenAt"))).toEqual(
    Array.from({ length: 12 }, (_, minute) => START + minute * 60_000),
  );
});

describe("what it says when it cannot", () => {
  it.each<[string, string[], number, RegExp]>([
    ["no table", [], 2, /name a table: exchanges, conversations, samples, loads, alerts/],
    ["an unknown table", ["users"], 2, /not "users"/],
    ["an unknown format", ["loads", "--format", "xml"], 2, /--format: expected csv, json, jsonl, not "xml"/],
    ["a span that is not kept", ["samples", "--span", "5"], 2, /--span: expected 1, 10, 60, 900, 14400/],
    ["a day that is none", ["loads", "--from", "soon"], 2, /--from "soon" is no day/],
    ["no record", ["loads"], 1, /there is no record in/],
  ])("%s", async (_name, args, code, words) => {
    const folder = await temporaryFolder();
    const ended = await inFolder(folder, ...args);
    expect(ended).toMatchObject({ code, out: "" });
    expect(ended.err).toMatch(words);
  });

  it("a file that is no record", async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, "plimsoll.db"), "not a database at all".repeat(20));
    expect(await inFolder(folder, "loads")).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("not a database"),
    });
  });
});

it("ends quietly when its reader has seen enough", async () => {
  const folder = await temporaryFolder();
  await record(folder, (open) => {
    for (let index = 0; index < 3000; index += 1) open.saveExchange(exchange(index));
  });
  const child = spawn(process.execPath, ["src/main.ts", "export", "exchanges", "--data-dir", folder]);
  let err = "";
  child.stderr.on("data", (chunk) => (err += chunk));
  child.stdout.once("data", () => child.stdout.destroy());
  const [code] = (await once(child, "close")) as [number];
  expect({ code, err }).toEqual({ code: 0, err: "" });
});
