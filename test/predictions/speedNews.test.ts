import { expect, it } from "vitest";
import { createSpeedNews } from "../../src/predictions/speedNews.ts";

const HOUR_MS = 3_600_000;

function news() {
  const said: string[] = [];
  let at = 0;
  const silent = (): void => {};
  const tell = createSpeedNews({
    monotonic: () => at,
    log: {
      debug: silent,
      error: silent,
      info: (text) => said.push(`info ${text}`),
      warn: (text) => said.push(`warn ${text}`),
    },
  });
  return {
    said,
    change(direction: "slower" | "faster", afterMs = 0, model = "m") {
      at += afterMs;
      const [expectedMs, actualMs] = direction === "slower" ? [50, 100] : [100, 50];
      tell({ model, direction, part: "base", expectedMs, actualMs, depthTokens: 10, answers: 6 });
    },
  };
}

it("warns of a slower model with what was usual", () => {
  const { said, change } = news();
  change("slower");
  expect(said).toEqual([
    "warn m answers slower than before: 6 answers in a row, 10.0 tok/s where 20.0 were usual",
  ]);
});

it("warns of each model once an hour, however often a busy machine slows it down and lets it go", () => {
  const { said, change } = news();
  for (let i = 0; i < 10; i += 1) {
    change("slower", 60_000);
    change("faster", 60_000);
  }
  change("slower", 0, "another");
  expect(said.map((line) => line.slice(0, 6))).toEqual(["warn m", "warn a"]);
  change("slower", HOUR_MS);
  expect(said).toHaveLength(3);
});

it("calls a faster model no trouble, and a slow one after it is still told", () => {
  const { said, change } = news();
  change("faster");
  change("slower", 1000);
  expect(said.map((line) => line.slice(0, 4))).toEqual(["info", "warn"]);
});
