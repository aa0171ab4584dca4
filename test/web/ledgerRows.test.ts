import { describe, expect, it } from "vitest";
import { findRows, ledgerRows } from "../../web/ledgerRows.ts";
import { aLoad, anExchange } from "./support.ts";

const exchange = (number: number, overrides = {}) =>
  anExchange({ id: `e${number}`, startedAt: number * 1000, ...overrides });
const load = aLoad({ id: "l", startedAt: 3000, cause: "crashed" });

describe("the table's rows", () => {
  it("are exchanges and loads, newest first", () => {
    const rows = ledgerRows([exchange(5), exchange(2)], [load], true);
    expect(rows.map(({ id }) => id)).toEqual(["e5", "load-l", "e2"]);
  });

  it("leave out loads that are older than what is known of the record", () => {
    expect(ledgerRows([exchange(5)], [load], false).map(({ id }) => id)).toEqual(["e5"]);
    expect(ledgerRows([], [load], true).map(({ id }) => id)).toEqual(["load-l"]);
  });

  it("are found by every word, in client, model, outcome, notices and causes", () => {
    const rows = ledgerRows(
      [
        exchange(5, { client: { name: "Open-WebUI" }, notices: [{ kind: "truncated" }] }),
        exchange(4, { model: "qwen:1b", state: { phase: "cancelled", endedAt: 1 } }),
      ],
      [load],
      true,
    );
    const find = (words: string) => findRows(rows, words).map(({ id }) => id);
    expect(find("open-webui cut")).toEqual(["e5"]);
    expect(find("QWEN  cancelled ")).toEqual(["e4"]);
    expect(find("crash")).toEqual(["load-l"]);
    expect(find("qwen cut")).toEqual([]);
    expect(find(" ")).toHaveLength(3);
  });
});
