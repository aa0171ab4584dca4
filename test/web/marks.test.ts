import { describe, expect, it } from "vitest";
import { chartMarks, loadWords, marksKnownSince, shortLoadWords } from "../../web/marks.ts";
import { aLoad, anExchange } from "./support.ts";

const reload = aLoad({
  id: "2",
  startedAt: 5000,
  cause: "options",
  differences: [{ option: "contextLength", from: "4096", to: "16384" }],
  client: "continue",
  previousClient: "openai-js",
});

describe("marks", () => {
  it("are the loads, reloads and cuts of the window, oldest first", () => {
    const cut = anExchange({ startedAt: 7000, notices: [{ kind: "truncated", tokensLost: 1204 }] });
    const quiet = anExchange({ startedAt: 7000, notices: [{ kind: "queued" }] });
    const old = aLoad({ id: "0", startedAt: 10 });
    const marks = chartMarks([reload, aLoad(), old], [quiet, cut], 500, 9000);
    expect(marks.map(({ at, kind }) => [at, kind])).toEqual([
      [1000, "load"],
      [5000, "reload"],
      [7000, "cut"],
    ]);
    expect(marks[2]?.text).toBe("prompt cut −1,204 tokens, gemma3:4b");
  });

  it("are all known, or known since the oldest of a list that is full", () => {
    const loads = [reload, aLoad({ startedAt: 1000 })];
    const ended = [anExchange({ startedAt: 7000 }), anExchange({ startedAt: 3000 })];
    expect(marksKnownSince(loads, ended, { loads: 3, ended: 3 })).toBeUndefined();
    expect(marksKnownSince(loads, ended, { loads: 2, ended: 3 })).toBe(1000);
    expect(marksKnownSince(loads, ended, { loads: 2, ended: 2 })).toBe(3000);
    expect(marksKnownSince([], [], { loads: 200, ended: 200 })).toBeUndefined();
  });

  it("name a reload's cause and who wanted what", () => {
    expect(loadWords(reload)).toBe(
      "gemma3:4b reloaded for other settings: contextLength 4,096 → 16,384 by continue, after openai-js",
    );
    expect(shortLoadWords(reload)).toBe("contextLength 4,096 → 16,384 by continue, after openai-js");
    expect(shortLoadWords(aLoad())).toBe("");
    expect(shortLoadWords(aLoad({ cause: "crashed" }))).toBe("loaded again after a crash");
    expect(shortLoadWords(aLoad({ cause: "crashed", client: "curl" }))).toBe(
      "loaded again after a crash, for curl",
    );
    expect(shortLoadWords({ ...reload, previousClient: "continue" })).not.toContain("after");
  });

  it("tell a runner that was found from one that came back", () => {
    const found = aLoad({ cause: "unknown" });
    expect(loadWords(found)).toBe("gemma3:4b loaded");
    expect(chartMarks([found], [], 0, 9000)[0]?.kind).toBe("load");
    const back = aLoad({ cause: "unknown", exchangeId: "x", client: "curl" });
    expect(loadWords(back)).toBe("gemma3:4b loaded again; why its runner went was not seen, for curl");
    expect(chartMarks([back], [], 0, 9000)[0]?.kind).toBe("reload");
  });
});
