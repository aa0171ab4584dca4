import { once } from "node:events";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { StoreRefusal } from "../../src/store/refusal.ts";
import { aDirectory, aProcess, aStore, cleanUp } from "./support/stores.ts";

afterEach(cleanUp);

async function refusalOf(dataDir: string): Promise<StoreRefusal> {
  const outcome: unknown = await aStore({ dataDir }).catch((error: unknown) => error);
  if (outcome instanceof StoreRefusal) return outcome;
  throw new Error("It was not refused.");
}

describe("a second instance on a data directory", () => {
  it("is refused within 2 s, and told which directory and which process", async () => {
    const dataDir = aDirectory();
    const holder = await aProcess("saveAndWait.ts", [dataDir]);
    const begun = performance.now();
    const refusal = await refusalOf(dataDir);
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(refusal.code).toBe("locked");
    expect(refusal.message).toContain(dataDir);
    expect(refusal.message).toContain(`process ${holder.pid}`);
  });

  it("is refused in the same process too", async () => {
    const dataDir = aDirectory();
    const first = await aStore({ dataDir });
    expect((await refusalOf(dataDir)).code).toBe("locked");
    await first.close();
    expect((await aStore({ dataDir })).health().state).toBe("on");
  });

  it("leaves the record of the first alone", async () => {
    const dataDir = aDirectory();
    const first = await aStore({ dataDir });
    const { mtimeMs } = statSync(join(dataDir, "plimsoll.db"));
    await refusalOf(dataDir);
    expect(statSync(join(dataDir, "plimsoll.db")).mtimeMs).toBe(mtimeMs);
    expect(first.health()).toEqual({ state: "on", pending: 0, dropped: 0 });
  });
});

it("dies with its process, however that ends", async () => {
  const dataDir = aDirectory();
  const holder = await aProcess("saveAndWait.ts", [dataDir]);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  expect((await aStore({ dataDir })).health().state).toBe("on");
});

it("is not in the way when its file is damaged", async () => {
  const dataDir = aDirectory();
  writeFileSync(
    join(dataDir, "plimsoll.lock"),
    "not a database at all, but long enough for a header".repeat(10),
  );
  const store = await aStore({ dataDir });
  expect(store.health()).toEqual({ state: "on", pending: 0, dropped: 0 });
  expect((await refusalOf(dataDir)).code).toBe("locked");
});
