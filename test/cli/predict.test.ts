/** `plimsoll predict`: from a saved answer, with what a record knows of this machine and without one. */
import { mkdir, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { partsOf } from "../../src/cli/predict.ts";
import { printTable } from "../../src/cli/predictText.ts";
import type { PredictAnswer } from "../../src/types.ts";
import { BANDWIDTH_KEY } from "../../src/predictions/bandwidth.ts";
import { openStore } from "../../src/store/client.ts";
import { cleanUp, onCleanUp, silentLog } from "../support/startPlimsoll.ts";
import { plimsoll, temporaryFolder } from "./support/program.ts";

afterEach(cleanUp);

/** Nobody listens there: a saved answer needs no Ollama. What one that runs here was set to must not tell either. */
const NOWHERE = ["--upstream", "http://127.0.0.1:9", "--parallel", "1"];

const SHOW = {
  details: { family: "llama" },
  model_info: {
    "general.architecture": "llama",
    "llama.block_count": 16,
    "llama.context_length": 131_072,
    "llama.embedding_length": 2048,
    "llama.attention.head_count": 32,
    "llama.attention.head_count_kv": 8,
    "llama.feed_forward_length": 8192,
    "llama.vocab_size": 32_000,
  },
  tensors: [{ name: "token_embd.weight", type: "Q8_0", shape: [2048, 32_000] }],
};

async function savedShow(folder: string): Promise<string> {
  const file = path.join(folder, "show.json");
  await writeFile(file, JSON.stringify(SHOW));
  return file;
}

async function open(dataDir: string) {
  const store = await openStore({
    dataDir,
    now: () => Date.now(),
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
  return store;
}

const measured = (bytesPerSecond: number): string =>
  JSON.stringify({
    bytesPerSecond,
    measuredAt: Date.UTC(2026, 0, 31),
    threadCount: 2,
    machine: os.hostname(),
  });

async function predict(args: string[]): Promise<PredictAnswer> {
  const { code, out, err } = await plimsoll(["predict", ...args, "--kv", "f16", ...NOWHERE, "--json"]).ended;
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return JSON.parse(out) as PredictAnswer;
}

it("finds the other files of a model that was cut into several, and names one that is missing", async () => {
  expect(partsOf("/m/model-00002-of-00003.gguf")).toEqual([
    "/m/model-00001-of-00003.gguf",
    "/m/model-00002-of-00003.gguf",
    "/m/model-00003-of-00003.gguf",
  ]);
  expect(partsOf("/m/model-1-of-3.gguf")).toEqual(["/m/model-1-of-3.gguf"]);
  const folder = await temporaryFolder();
  const path0 = path.join(folder, "model-00001-of-00002.gguf");
  await writeFile(path0, "GGUF");
  const { code, err } = await plimsoll(["predict", path0, "--data-dir", folder, ...NOWHERE]).ended;
  expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("model-00002-of-00002.gguf") });
});

describe("speed", () => {
  it("comes from the record's bandwidth, beside an instance that has the record open", async () => {
    const folder = await temporaryFolder();
    const store = await open(folder);
    await store.saveSetting(BANDWIDTH_KEY, measured(100e9));
    const answer = await predict([await savedShow(folder), "--ctx", "8k", "--data-dir", folder]);
    const rates = answer.speed?.decodeTokensPerSecond ?? [];
    expect(answer.speed?.provenance).toBe("assumed");
    expect(rates.map(({ depth }) => depth)).toEqual([0, 2048, 4096, 8192]);
    expect(answer.assumptions.at(-1)?.value).toContain("100.0 GB/s (as measured here on 2026-01-31)");
  });

  it("needs no record, and makes none", async () => {
    const folder = await temporaryFolder();
    const missing = path.join(folder, "nothing", "here");
    const answer = await predict([await savedShow(folder), "--ctx", "8k", "--data-dir", missing]);
    expect(answer.kvCacheBytes.hostBytes + answer.kvCacheBytes.deviceBytes).toBe(256 * 1024 ** 2);
    await expect(mkdir(path.join(folder, "nothing"))).resolves.toBeUndefined();
  });

  it("is printed as a small table over depth, and in the table of what could be", async () => {
    const folder = await temporaryFolder();
    const store = await open(folder);
    await store.saveSetting(BANDWIDTH_KEY, measured(100e9));
    await store.close();
    const show = await savedShow(folder);
    const one = await plimsoll(["predict", show, "--ctx", "4k", "--data-dir", folder, ...NOWHERE]).ended;
    expect(one.out).toMatch(/Tokens per second, by tokens in context:\n\s+0\s+\d+.*\n\s+2048\s+.*\n\s+4096 /);
    const all = await plimsoll(["predict", show, "--table", "--data-dir", folder, ...NOWHERE]).ended;
    expect(all.out).toMatch(/f16( +[\d.]+ .iB \w+)+\n( +[\d.]+ tok\/s)+\n/);
  });
});

it("names the file that is no answer", async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, "other.json");
  for (const text of ["{}", "{"]) {
    await writeFile(file, text);
    const { code, err } = await plimsoll(["predict", file]).ended;
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringContaining(`${file} is no saved /api/show answer`),
    });
  }
});

it("keeps the columns of the table apart", () => {
  const cells = [8192, 65_536, 131_072].map((contextLength, index) => ({
    contextLength,
    kvCacheType: "f16",
    totalBytes: (index + 1) * 21.59 * 1024 ** 3,
    fit: { verdict: "overflows" },
  }));
  const [, row] = printTable({ cells, notYet: [] } as unknown as Parameters<typeof printTable>[0]).split(
    "\n",
  );
  expect(row).toMatch(/^f16( {2,}[\d.]+ GiB overflows){3}$/);
});

describe("--measure-bandwidth", () => {
  it("measures, says what came out, and keeps it, with an instance running or not", async () => {
    const folder = await temporaryFolder();
    const alone = await plimsoll(["predict", "--measure-bandwidth", "--data-dir", folder]).ended;
    expect(alone).toMatchObject({ code: 0, err: "Measuring memory bandwidth for 2 s …\n" });
    expect(alone.out).toMatch(
      /^This machine moves [\d.]+ GB\/s through its memory, copying on .*threads?\.\n/,
    );

    const store = await open(folder);
    const before = await store.setting(BANDWIDTH_KEY);
    expect(JSON.parse(before ?? "")).toMatchObject({ machine: os.hostname() });
    const beside = await plimsoll(["predict", "--measure-bandwidth", "--json", "--data-dir", folder]).ended;
    expect(beside.code).toBe(0);
    expect(JSON.parse((await store.setting(BANDWIDTH_KEY)) ?? "")).toEqual(JSON.parse(beside.out));
    expect(await store.setting(BANDWIDTH_KEY)).not.toBe(before);
  }, 60_000);
});
