import { describe, expect, it } from "vitest";
import type { Health, Verdict } from "../../src/types.ts";
import {
  causeWords,
  episodeWords,
  memorySentence,
  outcomeWords,
  stateWord,
  statements,
  titleWords,
} from "../../web/words.ts";
import { aLiveExchange, anEpisode, anExchange, aSample, aSnapshot, gibibyte } from "./support.ts";

const sample = aSample({
  totalBytes: 32 * gibibyte,
  availableBytes: 10.6 * gibibyte,
  headroomBytes: 6.2 * gibibyte,
  swapTotalBytes: 8 * gibibyte,
});
const idle: Verdict = { state: "idle", level: "ok", text: "" };
const row = (exchange = aLiveExchange()) => ({ exchange, seenAt: 0, phases: [] });

describe("the sentence about memory", () => {
  it("says what is used and what is left", () => {
    expect(memorySentence(sample)).toBe("21.4 of 32 GiB used · 6.2 GiB before swap");
  });

  it("says so when the line is passed", () => {
    expect(memorySentence({ ...sample, headroomBytes: -1.2 * gibibyte })).toBe(
      "21.4 of 32 GiB used · 1.2 GiB past the load line",
    );
  });

  it("says how long it will last at this pace, in time and in turns", () => {
    const forecast = {
      madeAt: 0,
      secondsToSwap: { predicted: 860 },
      turnsToSwap: { predicted: 9 },
      points: [],
      causes: [],
    };
    expect(memorySentence(sample, forecast)).toMatch(
      / before swap · at this pace in about 14 min or 9 turns$/,
    );
    expect(memorySentence(sample, { ...forecast, secondsToSwap: undefined })).toMatch(/pace in 9 turns$/);
    expect(memorySentence({ ...sample, headroomBytes: -1 }, forecast)).not.toContain("pace");
    expect(memorySentence(sample, { madeAt: 0, points: [], causes: [] })).toMatch(/ before swap$/);
  });

  it("speaks of no swap where there is none", () => {
    expect(memorySentence({ ...sample, swapTotalBytes: 0 })).toMatch(/6\.2 GiB before memory runs out$/);
  });

  it("leaves out what is not known", () => {
    expect(memorySentence({ ...sample, headroomBytes: undefined })).toBe("21.4 of 32 GiB used");
    expect(memorySentence(aSample())).toBeUndefined();
  });

  it("is in the tab's title with the state", () => {
    expect(titleWords("decoding", sample)).toBe("decoding · 6.2 GiB before swap – Plimsoll");
    expect(titleWords("idle", undefined)).toBe("idle – Plimsoll");
  });
});

describe("the word for what goes on", () => {
  it.each([
    ["idle", []],
    ["prefill", [row(aLiveExchange({ state: { phase: "waiting", stage: "prefill" } }))]],
    ["decoding", [row(aLiveExchange({ state: { phase: "waiting", stage: "queued" } })), row()]],
    ["busy", [row(aLiveExchange({ operation: "pull" }))]],
  ])("is %s", (word, live) => {
    expect(stateWord(idle, live)).toBe(word);
  });

  it("is swapping whatever runs, when the server says so", () => {
    expect(stateWord({ ...idle, state: "swapping" }, [row()])).toBe("swapping");
  });

  it("is connecting before anything is known, and unknown when the server does not know", () => {
    expect(stateWord(undefined, [])).toBe("connecting");
    expect(stateWord({ ...idle, state: "unknown" }, [])).toBe("unknown");
  });

  it("does not count an exchange that has ended", () => {
    expect(stateWord(idle, [row(anExchange())])).toBe("busy");
  });
});

describe("the statements", () => {
  const healthy: Health = aSnapshot().health;
  const said = (overrides: Partial<Health>) => statements({ ...healthy, ...overrides });

  it("are none when all is well, or nothing is known yet", () => {
    expect(statements(healthy)).toEqual([]);
    expect(statements(undefined)).toEqual([]);
  });

  it("name the address that does not answer, and why", () => {
    const upstream = { url: "http://127.0.0.1:11434", reachable: false, problem: "connection refused" };
    expect(said({ upstream })).toEqual([
      { level: "bad", text: "Ollama does not answer at http://127.0.0.1:11434. Connection refused." },
    ]);
    const problem = "Ollama does not answer at http://127.0.0.1:11434 (ECONNREFUSED)";
    expect(said({ upstream: { ...upstream, problem, fix: "Start it." } })).toEqual([
      { level: "bad", text: `${problem}. Start it.` },
    ]);
  });

  it.each([
    [
      { state: "off", pending: 0, dropped: 0, problem: "the directory cannot be written" },
      "Recording is off because the directory cannot be written.",
    ],
    [{ state: "off", pending: 0, dropped: 0 }, "Recording is off."],
    [
      { state: "stalled", pending: 1200, dropped: 0 },
      "The disk does not answer: 1,200 rows wait to be recorded.",
    ],
    [{ state: "on", pending: 0, dropped: 3 }, "3 rows could not be recorded."],
    [
      { state: "memory", pending: 0, dropped: 0 },
      "Nothing is kept on disk: history ends when Plimsoll stops.",
    ],
    [
      { state: "on", pending: 0, dropped: 0, problem: "A damaged file was set aside" },
      "A damaged file was set aside.",
    ],
  ] as const)("say of the recorder %j", (recorder, text) => {
    expect(said({ recorder }).map((statement) => statement.text)).toEqual([text]);
  });

  it.each([
    [
      { state: "remote", problems: [] },
      "Ollama runs at http://127.0.0.1:11434: the memory of that host is not visible from here.",
    ],
    [{ state: "off", problems: [] }, "Memory is not measured."],
    [{ state: "replay", problems: [] }, "Memory is played back from a recording."],
    [{ state: "on", problems: ["swap counters cannot be read"] }, "Swap counters cannot be read."],
  ] as const)("say of the sampler %j", (sampler, text) => {
    expect(
      said({ sampler: { ...sampler, problems: [...sampler.problems] } }).map((statement) => statement.text),
    ).toEqual([text]);
  });
});

describe("an episode", () => {
  it("is told in the server's words, and its causes by name", () => {
    expect(episodeWords(anEpisode({ text: "Swap in 40 s." }))).toBe("Swap in 40 s.");
    expect(episodeWords(anEpisode())).toBe("Memory is running short.");
    expect(causeWords(anEpisode({ causes: [{ name: "prompt cache", bytes: 6 * gibibyte }] }))).toBe(
      "By prompt cache 6 GiB.",
    );
    expect(causeWords(anEpisode())).toBe("");
  });

  it.each([
    [{}, "still open"],
    [{ endedAt: 9 }, "ended without swap"],
    [{ endedAt: 9, outcome: "false-alarm" as const }, "false alarm"],
    [{ endedAt: 9, outcome: "hit" as const, leadSeconds: 41 }, "swap came, warned 41 s before"],
    [{ swapAt: 5 }, "swap came"],
  ])("that is %j ended so: %s", (parts, words) => {
    expect(outcomeWords(anEpisode(parts))).toBe(words);
  });
});
