/** `plimsoll chats`: from the running Plimsoll, or from its record. */
import { afterEach, describe, expect, it } from "vitest";
import { adviceText, chatsText, chatText } from "../../src/cli/chatsText.ts";
import { createSimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import type { Conversation, Exchange } from "../../src/types.ts";
import { cleanUp, onCleanUp, startPlimsoll } from "../support/startPlimsoll.ts";
import { plimsoll, temporaryFolder } from "./support/program.ts";

afterEach(cleanUp);

const NOW = new Date(2026, 2, 1, 12).getTime();

const conversation: Conversation = {
  id: "abc",
  model: "gemma3:270m",
  client: "curl",
  startedAt: NOW - 90_000_000,
  lastAt: NOW - 60_000,
  turnCount: 2,
  branchCount: 1,
  contextLength: 4096,
  contextTokensUsed: 1234,
  tokensPerTurn: { predicted: 480 },
  turnsLeft: { window: { predicted: 6, low: 5, high: 7 } },
  notices: [
    {
      kind: "truncated",
      message: "cut to half",
      remedies: [{ id: "r", text: "ask for 8192", commands: [] }],
    },
  ],
};
const turn = {
  id: "x1",
  startedAt: NOW - 60_000,
  turn: 2,
  branchOf: "x0",
  state: { phase: "completed", endedAt: NOW, firstTokenAt: NOW - 59_000 },
  usage: { inputTokens: 1200, outputTokens: 34, decodeMs: 1700, provenance: "measured" },
  contextLength: 4096,
  contextTokensUsed: 1234,
  notices: [{ kind: "truncated" }],
} as unknown as Exchange;

describe("in words", () => {
  it("lists chats, one a line", () => {
    const [head, line, ...more] = chatsText([conversation], NOW).trimEnd().split("\n");
    expect(head).toMatch(/^ID .*Context .*Left +Notices$/);
    expect(line).toMatch(/^abc +11:59:00 +curl +gemma3:270m +2 +1,234 \/ 4,096 +5–7 turns left +truncated$/);
    expect(more).toEqual([]);
    expect(chatsText([], NOW)).toContain("No chat");
  });

  it("shows one turn by turn, with what befell it and what to do", () => {
    const text = chatText({ ...conversation, turns: [turn] }, NOW);
    expect(text).toContain(
      "2 turns, 1 edited or regenerated · context 1,234 / 4,096 · about 480 tokens a turn",
    );
    expect(text).toMatch(/↳2 +11:59:00 +completed +1,200 +34 +1,234 \/ 4,096 +1\.0 s +20\.0 +truncated/);
    expect(text).toContain("truncated: cut to half\n  ask for 8192");
  });
});

describe("plimsoll chats", () => {
  it("asks the running Plimsoll, and reads the record where none runs", async () => {
    const folder = await temporaryFolder();
    const ollama = createSimulatedOllama({ instant: true });
    onCleanUp(() => ollama.close());
    const { url, app, store } = await startPlimsoll((await ollama.listen()).url, { dataDir: folder });
    const body = JSON.stringify({
      model: "gemma3:270m",
      messages: [{ role: "user", content: "hi" }],
      stream: false,
    });
    await (
      await fetch(`${url}/api/chat`, { method: "POST", body, headers: { "user-agent": "me/1" } })
    ).text();
    const listen = ["--listen", url.replace("http://", "")];
    const listed = await plimsoll(["chats", "--json", ...listen]).ended;
    const { conversations } = JSON.parse(listed.out) as { conversations: Conversation[] };
    expect(conversations).toMatchObject([{ client: "me", turnCount: 1 }]);
    const id = conversations[0]?.id ?? "";
    expect((await plimsoll(["chats", id, ...listen]).ended).out).toMatch(/me with gemma3:270m[^]*completed/);
    expect(await plimsoll(["chats", "nothing", ...listen]).ended).toMatchObject({ code: 1, out: "" });
    expect((await plimsoll(["chats", "--client", "you", ...listen]).ended).out).toContain("No chat");

    await app.close(0);
    await store.close();
    const kept = await plimsoll(["chats", id, "--json", "--data-dir", folder]).ended;
    expect(JSON.parse(kept.out)).toMatchObject({ id, turns: [{ turn: 1, conversationId: id }] });
    expect((await plimsoll(["chats", "--data-dir", folder]).ended).out).toContain("me");
  }, 30_000);

  it("says what is wrong", async () => {
    const folder = await temporaryFolder();
    expect(await plimsoll(["chats", "--limit", "0"]).ended).toMatchObject({ code: 2 });
    const none = await plimsoll(["chats", "--data-dir", folder]).ended;
    expect(none).toMatchObject({ code: 1, out: "" });
    expect(none.err).toContain("there is no record");
  });
});

it("lists advice below the chats, and nothing where there is none", () => {
  expect(adviceText([])).toBe("");
  expect(adviceText([{ id: "a", kind: "fight", text: "a and b fight over m", remedies: [] }])).toContain(
    "\n  a and b fight over m.\n",
  );
});
