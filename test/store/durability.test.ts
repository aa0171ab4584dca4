import { once } from "node:events";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { aSample, anExchange, startOfTest } from "./support/rows.ts";
import { aDatabase, aDirectory, aProcess, aStore, cleanUp, readRecord } from "./support/stores.ts";

afterEach(cleanUp);

const pause = (durationMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, durationMs));

it("has on disk what was saved a second before the process was killed", async () => {
  const dataDir = aDirectory();
  const process = await aProcess("saveAndWait.ts", [dataDir]);
  await pause(1000);
  process.kill("SIGKILL");
  await once(process, "exit");
  const rows = readRecord<{ id: string; phase: string }>(
    dataDir,
    "SELECT id, phase FROM exchanges ORDER BY seq",
  );
  expect(rows).toEqual([
    { id: "running", phase: "waiting" },
    { id: "ended", phase: "completed" },
  ]);
});

it("writes an ended exchange within 500 ms, and the samples that wait along with it", async () => {
  const dataDir = aDirectory();
  const store = await aStore({ dataDir });
  store.saveSample(aSample(startOfTest));
  await pause(600);
  expect(readRecord(dataDir, "SELECT * FROM samples")).toHaveLength(0);
  store.saveExchange(anExchange());
  await pause(500);
  expect(readRecord(dataDir, "SELECT * FROM exchanges")).toHaveLength(1);
  expect(readRecord(dataDir, "SELECT * FROM samples")).toHaveLength(1);
  expect(store.health()).toEqual({ state: "on", pending: 0, dropped: 0 });
});

it("waits for the disk with every transaction", () => {
  // FULL is 2. It is a property of the connection, which nothing outside can see; the driver's default is NORMAL.
  const database = aDatabase(join(aDirectory(), "plimsoll.db"));
  expect(database.pragma("journal_mode", { simple: true })).toBe("wal");
  expect(database.pragma("synchronous", { simple: true })).toBe(2);
});

describe("exchanges that an earlier end cut off", () => {
  it("are failed as interrupted, at the last moment that process is known to have lived", async () => {
    const dataDir = aDirectory();
    const first = await aStore({ dataDir });
    first.saveExchange(anExchange({ id: "waiting", state: { phase: "waiting", stage: "loading" } }));
    first.saveExchange(
      anExchange({ id: "streaming", state: { phase: "streaming", firstTokenAt: startOfTest + 700 } }),
    );
    first.saveExchange(anExchange({ id: "ended" }));
    first.saveSample(aSample(startOfTest + 5000));
    await first.close();

    const second = await aStore({ dataDir, now: () => startOfTest + 86_400_000 });
    const error = { code: "interrupted", message: "Plimsoll ended while this exchange was running." };
    const endedAt = startOfTest + 5000;
    expect((await second.exchange("waiting"))?.state).toEqual({ phase: "failed", endedAt, error });
    expect((await second.exchange("streaming"))?.state).toEqual({
      phase: "failed",
      endedAt,
      firstTokenAt: startOfTest + 700,
      error,
    });
    expect((await second.exchange("ended"))?.state.phase).toBe("completed");
  });

  it("end when they were last heard of, if nothing else is known", async () => {
    const dataDir = aDirectory();
    const first = await aStore({ dataDir });
    const firstTokenAt = startOfTest + 700;
    first.saveExchange(anExchange({ id: "waiting", state: { phase: "waiting" } }));
    first.saveExchange(anExchange({ id: "streaming", state: { phase: "streaming", firstTokenAt } }));
    await first.close();

    const second = await aStore({ dataDir });
    expect((await second.exchange("waiting"))?.state).toMatchObject({
      phase: "failed",
      endedAt: startOfTest,
    });
    expect((await second.exchange("streaming"))?.state).toMatchObject({
      phase: "failed",
      endedAt: firstTokenAt,
    });
  });
});
