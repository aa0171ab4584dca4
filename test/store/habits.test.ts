import { afterEach, describe, expect, it } from "vitest";
import { readHabits } from "../../src/store/habitQueries.ts";
import { aLoad, anExchange, startOfTest } from "./support/rows.ts";
import { aDatabase, aWriter, cleanUp } from "./support/stores.ts";

afterEach(cleanUp);

const completed = { phase: "completed", endedAt: startOfTest + 100 } as const;

describe("what was asked of a model", () => {
  it("is added up by client, dialect and whether a context was asked for", () => {
    const database = aDatabase();
    const write = aWriter(database);
    const mine = {
      model: "m",
      client: { name: "continue" },
      requestedContextLength: 8192,
      contextLength: 8192,
    };
    write({
      exchanges: [
        anExchange({ ...mine, contextTokensUsed: 100 }),
        anExchange({ ...mine, contextTokensUsed: 6000 }),
        anExchange({ model: "m", dialect: "openai", contextLength: 4096, contextTokensUsed: 50 }),
        anExchange({ model: "m", operation: "embed", contextTokensUsed: 9999 }),
        anExchange({ ...mine, startedAt: startOfTest - 10_000, contextTokensUsed: 9999 }),
        anExchange({ ...mine, state: { phase: "streaming", firstTokenAt: startOfTest } }),
      ],
    });
    const { models } = readHabits(database, { from: startOfTest });
    expect(models).toHaveLength(2);
    expect(models[0]).toMatchObject({
      model: "m",
      client: "continue",
      dialect: "ollama",
      asksContext: true,
      requestCount: 2,
      cutCount: 0,
      contextLength: 8192,
      longestTokens: 6000,
    });
    const edges = Object.keys(models[0]?.tokens ?? {}).map(Number);
    expect(edges).toHaveLength(2);
    expect(edges[1]).toBeGreaterThanOrEqual(6000);
    expect(edges[1]).toBeLessThan(6000 * 1.03);
    expect(models[1]).toMatchObject({ dialect: "openai", asksContext: false, requestCount: 1 });
  });

  it("counts what was cut, and remembers the context that would have kept it", () => {
    const database = aDatabase();
    const write = aWriter(database);
    write({
      exchanges: [
        anExchange({ model: "m", state: completed, notices: [{ kind: "truncated", contextLength: 9000 }] }),
        anExchange({ model: "m", notices: [{ kind: "messages-dropped", contextLength: 12_000 }] }),
        anExchange({ model: "m", notices: [{ kind: "reloaded", contextLength: 99_000 }] }),
        anExchange({
          model: "m",
          state: { phase: "failed", endedAt: startOfTest, error: { code: "http-400", message: "" } },
          notices: [{ kind: "prompt-too-long" }],
        }),
      ],
    });
    expect(readHabits(database, { from: 0 }).models).toEqual([
      expect.objectContaining({ requestCount: 4, cutCount: 3, neededContextLength: 12_000 }),
    ]);
  });
});

it("reloads are added up by cause and by who forced them, with what that client asks for", () => {
  const database = aDatabase();
  const write = aWriter(database);
  const fight = { cause: "options", client: "a", previousClient: "b", loadMs: 1500, lostBytes: 10 } as const;
  const differences = [{ option: "num_ctx", from: "8192", to: "32768" }];
  const asked = anExchange({ model: "tiny", dialect: "ollama", requestedContextLength: 32_768 });
  write({
    exchanges: [asked],
    loads: [
      aLoad(),
      aLoad({ cause: "unknown" }),
      aLoad({ ...fight, differences, exchangeId: asked.id }),
      aLoad({ ...fight, differences }),
      aLoad({ cause: "expired", client: "a" }),
      aLoad({ ...fight, differences, startedAt: startOfTest - 10_000 }),
    ],
  });
  expect(readHabits(database, { from: startOfTest }).reloads).toEqual([
    { model: "tiny", cause: "expired", client: "a", count: 1, lastAt: startOfTest },
    {
      model: "tiny",
      cause: "options",
      client: "a",
      previousClient: "b",
      differences,
      count: 2,
      lastAt: startOfTest,
      loadMs: 3000,
      lostBytes: 20,
      dialect: "ollama",
      asksContext: true,
    },
  ]);
});

it("a week of 30,000 requests is read in a moment", () => {
  const database = aDatabase();
  const write = aWriter(database);
  for (let batch = 0; batch < 30; batch += 1) {
    write({
      exchanges: Array.from({ length: 1000 }, (_, index) =>
        anExchange({ model: `m${index % 5}`, contextTokensUsed: index * 7, notices: [] }),
      ),
    });
  }
  const startedAt = performance.now();
  const { models } = readHabits(database, { from: 0 });
  expect(models.reduce((sum, { requestCount }) => sum + requestCount, 0)).toBe(30_000);
  expect(models.every(({ tokens }) => Object.keys(tokens).length < 500)).toBe(true);
  expect(performance.now() - startedAt).toBeLessThan(2000);
});
