/** A chat goes over the cliff on a simulated machine whose memory is sampled: said beforehand, seen in the runner's memory. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDemo } from "../../src/demo/demo.ts";
import type { Advice, Conversation, Exchange, LoadedModel } from "../../src/types.ts";
import { cleanUp, onCleanUp, startPlimsoll } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

const MODEL = "qwen2.5-coder:1.5b";
const WINDOW = 4096;
const TURNS = 15;
const SPEED = 10;

let url: string;
let conversation: Conversation;
let turns: Exchange[];

async function get<Answer>(path: string): Promise<Answer> {
  return (await (await fetch(`${url}/plimsoll/api/${path}`)).json()) as Answer;
}

beforeAll(async () => {
  const demo = createDemo({ speed: SPEED, seed: 5 });
  const upstream = await demo.upstream.listen();
  onCleanUp(() => demo.upstream.close());
  const started = await startPlimsoll(upstream.url, {
    settings: { sampling: { intervalMs: 250 } },
    parts: { now: demo.now, monotonic: demo.monotonic, memorySource: () => demo.machine },
  });
  ({ url } = started);
  const messages: { role: string; content: string }[] = [];
  for (let turn = 1; turn <= TURNS; turn += 1) {
    messages.push({
      role: "user",
      content: `Question ${turn}: ${"words and more of them ".repeat(60 + turn)}`,
    });
    const answer = await fetch(`${url}/api/chat`, {
      method: "POST",
      body: JSON.stringify({
        model: MODEL,
        messages,
        stream: false,
        options: { num_ctx: WINDOW, num_predict: 20 },
      }),
    });
    const { message } = (await answer.json()) as { message: { role: string; content: string } };
    messages.push(message);
    // Memory is read four times a second: each turn has a reading of its own.
    await new Promise((resolve) => setTimeout(resolve, 600));
  }
  await waitFor(async () => {
    const { conversations } = await get<{ conversations: Conversation[] }>("conversations");
    conversation = await get(`conversations/${conversations[0]?.id}`);
    turns = (conversation.turns ?? []).toSorted((left, right) => (left.turn ?? 0) - (right.turn ?? 0));
    return turns.length === TURNS && turns.every(({ state }) => "endedAt" in state);
  });
}, 90_000);

afterAll(cleanUp);

describe("a chat that outgrows its window", () => {
  const overAt = (): number =>
    turns.findIndex(({ notices }) => notices.some(({ kind }) => kind === "cliff")) + 1;

  it("goes over the cliff where its prompt first exceeds the window", () => {
    expect(overAt()).toBeGreaterThan(5);
    const before = turns[overAt() - 2];
    expect(before?.usage?.inputTokens).toBeLessThanOrEqual(WINDOW);
    expect(turns[overAt() - 1]?.notices.map(({ kind }) => kind)).toContain("messages-dropped");
  });

  it("was told so two turns before, with a wait that came within 30 %", () => {
    const said = turns[overAt() - 3]?.notices.find(({ kind }) => kind === "cliff-ahead");
    expect(Math.abs((said?.atTurn ?? 0) - overAt())).toBeLessThanOrEqual(1);
    const actualMs = turns[overAt() - 1]?.usage?.prefillMs ?? 1;
    expect(Math.abs((said?.ms ?? 0) / actualMs - 1)).toBeLessThan(0.3);
  });

  it("then leaves as much in memory with each turn as was said, within 15 %", () => {
    expect(conversation.cliff).toMatchObject({ state: "reached" });
    expect(conversation.cliff?.bytesPerTurn?.actual).toBeGreaterThan(0);
    expect(Math.abs(conversation.cliff?.bytesPerTurn?.errorRatio ?? 1)).toBeLessThan(0.15);
  });

  it("shows what the runner's memory has grown by, and the next turn's part of it", async () => {
    const { models } = await get<{ models: LoadedModel[] }>("models");
    const growth = models.find(({ name }) => name === MODEL)?.growth;
    expect(growth?.parts[0]?.name).toBe("prompt cache");
    expect(growth?.nextTurnBytes?.predicted).toBeGreaterThan(0);
    expect(growth?.text).toMatch(/more since its load: .* copies of earlier prompts/);
  });

  it("is advised on, once, with one context for the model", async () => {
    const { advice } = await get<{ advice: Advice[] }>("advice");
    const chat = advice.filter(({ kind }) => kind === "fresh-chat");
    expect(chat).toHaveLength(1);
    expect(chat[0]).toMatchObject({ conversationId: conversation.id, model: MODEL });
    expect(chat[0]?.text).toContain(`no longer fits its context since turn ${overAt()}`);
    const larger = advice.find(({ kind }) => kind === "larger-context");
    expect(larger?.text).toContain(`did not fit its context of ${WINDOW}`);
    expect(larger?.remedies[0]?.text).toMatch(/^Set num_ctx to 8192 for .*: costs \d+ MiB more and fits/);
  });
});
