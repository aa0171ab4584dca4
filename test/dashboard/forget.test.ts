import { describe, expect, it } from "vitest";
import type { ForgetRequest } from "../../src/dashboard/parts.ts";
import { aDashboard, errorOf } from "./support.ts";

const post = (body: string, headers: Record<string, string> = {}): [string, RequestInit] => [
  "http://127.0.0.1:11435/plimsoll/api/forget",
  { method: "POST", body, headers: { host: "127.0.0.1:11435", ...headers } },
];

describe("POST /plimsoll/api/forget", () => {
  it.each<ForgetRequest>([{ beforeAt: 5 }, { conversationId: "c" }, { all: true }])(
    "forgets %j and says how much",
    async (what) => {
      const asked: ForgetRequest[] = [];
      const { app } = aDashboard({
        forget: async (request) => {
          asked.push(request);
          return { exchanges: 3 };
        },
      });
      const answer = await app.request(...post(JSON.stringify(what)));
      expect(await answer.json()).toEqual({ exchanges: 3 });
      expect(asked).toEqual([what]);
    },
  );

  it.each([
    "",
    "[]",
    "{}",
    '{"all":false}',
    '{"all":true,"beforeAt":1}',
    '{"beforeAt":"x"}',
    '{"beforeAt":1.5}',
  ])("deletes nothing on %j", async (body) => {
    const { app } = aDashboard({
      forget: () => {
        throw new Error("must not be called");
      },
    });
    const answer = await app.request(...post(body));
    expect(answer.status).toBe(400);
    expect((await errorOf(answer)).message).toContain('{"all": true}');
  });

  it("is refused to a page of another origin", async () => {
    const { app } = aDashboard();
    const answer = await app.request(...post('{"all":true}', { origin: "http://evil.example" }));
    expect(answer.status).toBe(403);
  });
});

it("exchanges can be asked for by operation, and without polling", async () => {
  const asked: unknown[] = [];
  const { app } = aDashboard({
    listExchanges: async (query) => {
      asked.push(query);
      return { rows: [] };
    },
  });
  await app.request("http://127.0.0.1:11435/plimsoll/api/exchanges?operation=chat&without=other");
  expect(asked).toEqual([{ limit: 100, operation: "chat", without: "other" }]);
});
