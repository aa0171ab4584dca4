import { afterEach, describe, expect, it } from "vitest";
import { findConversation, listConversations } from "../../src/store/conversationQueries.ts";
import type { Conversation } from "../../src/types.ts";
import { anExchange, startOfTest } from "./support/rows.ts";
import { aDatabase, aDirectory, aStore, aWriter, bytesOf, cleanUp } from "./support/stores.ts";

afterEach(cleanUp);

const aConversation = (id: string, fields: Partial<Conversation> = {}): Conversation => ({
  id,
  model: "tiny",
  client: "curl",
  purpose: "chat",
  startedAt: startOfTest,
  lastAt: startOfTest,
  turnCount: 1,
  notices: [],
  ...fields,
});

describe("conversations", () => {
  it("are listed by their latest turn, page by page and by filters", async () => {
    const store = await aStore();
    const save = (conversation: Conversation) => store.saveConversation({ conversation });
    save(aConversation("a"));
    save(aConversation("b", { model: "large", client: "zed" }));
    save(aConversation("t", { purpose: "title" }));
    await store.flush(5000);
    save(aConversation("a", { turnCount: 2, contextTokensUsed: 9 }));
    const ids = async (query: Parameters<typeof store.conversations>[0]) =>
      (await store.conversations(query)).conversations.map(({ id }) => id);
    expect(await ids({})).toEqual(["a", "b"]);
    expect(await ids({ purpose: "any" })).toEqual(["a", "t", "b"]);
    expect(await ids({ purpose: "title" })).toEqual(["t"]);
    expect(await ids({ model: "large" })).toEqual(["b"]);
    expect(await ids({ client: "curl" })).toEqual(["a"]);
    const { next } = await store.conversations({ limit: 1 });
    expect(await ids({ limit: 1, before: next })).toEqual(["b"]);
    await expect(store.conversations({ before: "x" })).rejects.toThrow(RangeError);
    expect((await store.conversations({})).conversations[0]).toEqual(
      aConversation("a", { turnCount: 2, contextTokensUsed: 9 }),
    );
  });

  it("have their turns, the oldest first, with what they are for and branch from", async () => {
    const store = await aStore();
    store.saveConversation({ conversation: aConversation("a", { turnCount: 2 }) });
    store.saveExchange(anExchange({ id: "1", conversationId: "a", turn: 1, purpose: "chat" }));
    store.saveExchange(anExchange({ id: "2", conversationId: "a", turn: 2, purpose: "chat", branchOf: "1" }));
    store.saveExchange(anExchange({ id: "3", conversationId: "other" }));
    const { turns, ...figures } = (await store.conversation("a")) ?? {};
    expect(figures).toEqual(aConversation("a", { turnCount: 2 }));
    expect(turns?.map(({ id, turn, purpose, branchOf }) => ({ id, turn, purpose, branchOf }))).toEqual([
      { id: "1", turn: 1, purpose: "chat", branchOf: undefined },
      { id: "2", turn: 2, purpose: "chat", branchOf: "1" },
    ]);
    expect(await store.conversation("none")).toBeUndefined();
    await store.moveExchange({ exchangeId: "3", conversationId: "a" });
    expect((await store.conversation("a"))?.turns).toHaveLength(3);
  });

  it("grow over restarts: the beginning, the highest turn and the heads stay", async () => {
    const dataDir = aDirectory();
    const first = await aStore({ dataDir });
    first.saveConversation({
      conversation: aConversation("a", { turnCount: 9, branchCount: 3 }),
      heads: '{"id":"a"}',
    });
    first.saveConversation({ conversation: aConversation("t", { purpose: "tags" }) });
    await first.close();
    const second = await aStore({ dataDir });
    second.saveConversation({
      conversation: aConversation("a", {
        turnCount: 1,
        startedAt: startOfTest + 50,
        lastAt: startOfTest + 60,
      }),
    });
    expect(await second.recentConversations(10)).toEqual([
      {
        conversation: aConversation("a", { turnCount: 9, branchCount: 3, lastAt: startOfTest + 60 }),
        heads: '{"id":"a"}',
      },
    ]);
  });

  it("are forgotten with their turns, without a trace, and when their time is over", async () => {
    const dataDir = aDirectory();
    const store = await aStore({ dataDir });
    store.saveConversation({ conversation: aConversation("marker-a"), heads: "marker-heads" });
    store.saveConversation({ conversation: aConversation("b", { lastAt: startOfTest + 100 }) });
    store.saveExchange(anExchange({ conversationId: "marker-a" }));
    await store.flush(5000);
    expect(bytesOf(dataDir)).toContain("marker-heads");
    await store.forget({ conversationId: "marker-a" });
    expect(bytesOf(dataDir)).not.toContain("marker-");
    await store.forget({ beforeAt: startOfTest + 100 });
    expect((await store.conversations({})).conversations).toHaveLength(1);
    await store.forget({ beforeAt: startOfTest + 101 });
    expect((await store.conversations({})).conversations).toHaveLength(0);
  });

  it("are listed in a moment, however many there are", () => {
    const database = aDatabase();
    const write = aWriter(database);
    const count = 100_000;
    for (let from = 0; from < count; from += 5000) {
      write({
        conversations: Array.from({ length: 5000 }, (_, index) => ({
          conversation: aConversation(`c${from + index}`, {
            model: `model-${(from + index) % 7}`,
            // What programs ask outnumbers the rest.
            purpose: (from + index) % 50 === 0 ? "chat" : "title",
            notices: [{ kind: "truncated", tokensLost: 5, message: "x".repeat(200) }],
          }),
          heads: "h".repeat(1500),
        })),
      });
    }
    const timed = (read: () => unknown): number => {
      const times = Array.from({ length: 5 }, () => {
        const started = performance.now();
        read();
        return performance.now() - started;
      });
      return Math.min(...times);
    };
    const milliseconds = {
      page: timed(() => listConversations(database, {})),
      thousand: timed(() => listConversations(database, { limit: 1000 })),
      ofModel: timed(() => listConversations(database, { model: "model-3" })),
      any: timed(() => listConversations(database, { purpose: "any" })),
      one: timed(() => findConversation(database, "c500")),
    };
    console.log("100,000 conversations, ms:", JSON.stringify(milliseconds));
    expect(listConversations(database, {}).conversations).toHaveLength(100);
    expect(Math.max(...Object.values(milliseconds))).toBeLessThan(50);
  }, 60_000);
});
