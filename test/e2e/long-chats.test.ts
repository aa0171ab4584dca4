/**
 * Recorded long chats of two real Ollamas, played through the whole program: over the API each turn says what was cut,
 * the chat says how full it is, when it will no longer fit, and what that costs.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Conversation, Exchange, NoticeKind } from "../../src/types.ts";
import { readChat } from "../predict/guessReplay.ts";
import { capturedChunks, capturedHeader, loadCaptures } from "../support/captures.ts";
import { startPlayedOllama, type PlayedOllama } from "../support/playedOllama.ts";
import { cleanUp, onCleanUp, startBehind, startPlimsoll } from "../support/startPlimsoll.ts";

afterEach(cleanUp);

const WORDS = "the ship carries its cargo over a grey and quiet sea while the crew keeps watch at the rail ";

function text(bytes: number, seed: number): string {
  const from = seed % WORDS.length;
  return `${seed} ${WORDS.slice(from)}${WORDS.repeat(Math.ceil(bytes / WORDS.length))}`.slice(
    0,
    Math.max(4, bytes),
  );
}

async function post(url: string, body: string | Buffer): Promise<void> {
  await (await fetch(`${url}/api/chat`, { method: "POST", body })).text();
}

/** The conversation with its turns, once the last of them is on record. */
async function toldOf(
  url: string,
  turnCount: number,
): Promise<Required<Pick<Conversation, "turns">> & Conversation> {
  for (;;) {
    const { conversations } = (await (await fetch(`${url}/plimsoll/api/conversations`)).json()) as {
      conversations: Conversation[];
    };
    const [conversation] = conversations;
    if (conversation !== undefined) {
      const answer = await fetch(`${url}/plimsoll/api/conversations/${conversation.id}`);
      const told = (await answer.json()) as Conversation;
      const turns = told.turns ?? [];
      if (turns.length === turnCount && turns.every(({ state }) => "endedAt" in state)) {
        expect(conversations).toHaveLength(1);
        return { ...told, turns };
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function kindsOf({ notices }: Exchange): NoticeKind[] {
  return notices.map(({ kind }) => kind);
}

/** Questions and answers of the recorded sizes; counts and durations as they were recorded. */
async function playFixture(
  url: string,
  ollama: PlayedOllama,
  part: {
    name: string;
    from?: number;
    until?: number;
    messages?: { role: string; content: string }[];
    delayMs?: number;
  },
): Promise<number> {
  const chat = readChat(part.name);
  const { messages = [], from = 0, until, delayMs } = part;
  for (const [index, recorded] of [...chat.exchanges.entries()].slice(from, until)) {
    const before = messages.reduce((sum, { content }) => sum + content.length, 0);
    messages.push({ role: "user", content: text(recorded.textBytes - before, index + 1) });
    const answer = text(4 * recorded.outputTokens, 1000 + index);
    const nanoseconds = (ms: number): number => Math.round(ms * 1e6);
    const totalMs = recorded.firstTokenMs + recorded.decodeMs;
    const final = {
      model: chat.model,
      message: { role: "assistant", content: "" },
      done: true,
      done_reason: "length",
      total_duration: nanoseconds(totalMs),
      load_duration: nanoseconds(recorded.loadMs),
      prompt_eval_count: recorded.inputTokens,
      prompt_eval_duration: nanoseconds(recorded.prefillMs),
      eval_count: recorded.outputTokens,
      eval_duration: nanoseconds(recorded.decodeMs),
    };
    const piece = { model: chat.model, message: { role: "assistant", content: answer }, done: false };
    ollama.play({
      status: 200,
      contentType: "application/x-ndjson",
      delayMs,
      body: Buffer.from(`${JSON.stringify(piece)}\n${JSON.stringify(final)}\n`),
    });
    const options = { num_ctx: chat.contextLength, num_predict: recorded.outputTokens };
    await post(url, JSON.stringify({ model: chat.model, messages, options }));
    messages.push({ role: "assistant", content: answer });
  }
  return chat.exchanges.length;
}

describe.each([
  {
    name: "chat-gemma3-270m-v0.33",
    version: "v0.33",
    model: "gemma3:270m",
    contextLength: 8192,
    cliffTurn: 17,
  },
  {
    name: "chat-synthetic-llama-v0.24",
    version: "v0.24",
    model: "synthetic-llama:1b",
    contextLength: 4096,
    cliffTurn: 9,
  },
])("$name", ({ name, version, model, contextLength, cliffTurn }) => {
  it(
    "is told over the API from its first turn to what lies past the cliff",
    { timeout: 60_000 },
    async () => {
      const ollama = await startPlayedOllama(version, { name: model, contextLength });
      const { url } = await startBehind(ollama);
      const turnCount = await playFixture(url, ollama, { name });
      const { turns, cliff, notices, ...chat } = await toldOf(url, turnCount);

      const byTurn = turns.toSorted((left, right) => (left.turn ?? 0) - (right.turn ?? 0));
      for (const ahead of [4, 3, 2]) {
        const said = byTurn[cliffTurn - 1 - ahead]?.notices.find(({ kind }) => kind === "cliff-ahead");
        expect(said).toMatchObject({
          atTurn: cliffTurn,
          turnsAhead: ahead,
          contextLength: 2 * contextLength,
        });
      }
      expect(byTurn.map(kindsOf).slice(cliffTurn - 1)).toEqual([
        ["messages-dropped", "cliff"],
        ...Array.from({ length: turnCount - cliffTurn }, () => ["messages-dropped"]),
      ]);
      expect(byTurn.slice(0, cliffTurn - 6).flatMap(kindsOf)).toEqual([]);
      expect(cliff).toMatchObject({ state: "reached", atTurn: { predicted: cliffTurn, actual: cliffTurn } });
      expect(Math.abs(cliff?.prefillMs?.errorRatio ?? 1)).toBeLessThan(0.3);
      expect(cliff?.remedies[0]?.text).toContain(`num_ctx to ${2 * contextLength}`);
      expect(notices.find(({ kind }) => kind === "messages-dropped")).toMatchObject({ atTurn: cliffTurn });
      expect(chat).toMatchObject({ turnCount, contextLength, turnsLeft: { window: { predicted: 0 } } });
      expect(chat.allocatedBytes ?? 0).toBeGreaterThan(chat.occupiedBytes ?? Infinity);
      expect(Math.abs((chat.tokensPerTurn?.predicted ?? 0) / 480 - 1)).toBeLessThan(0.05);
      const cachedShare = (byTurn[cliffTurn - 2]?.usage?.cachedInputTokens ?? 0) / contextLength;
      expect(cachedShare).toBeGreaterThan(0.7);
      expect(byTurn[cliffTurn - 1]?.usage?.cachedInputTokens).toBe(0);

      const accuracy = (await (await fetch(`${url}/plimsoll/api/accuracy`)).json()) as {
        overall: Record<string, { n: number }>;
      };
      expect(accuracy.overall["cliffTurn"]).toMatchObject({ n: 1, medianErrorRatio: 0 });
      const metrics = await (await fetch(`${url}/plimsoll/metrics`)).text();
      expect(metrics).toContain(`plimsoll_truncations_total{model="${model}",kind="messages-dropped"}`);
      expect(metrics).toMatch(/plimsoll_context_used_ratio\{model="[^"]+"\} 0\.9\d/);
    },
  );
});

describe.each([
  {
    version: "v0.24",
    scenario: "15-chat-overflow",
    model: "gemma3:270m",
    from: 7,
    kind: "messages-dropped",
    lost: 532,
  },
  {
    version: "v0.33",
    scenario: "16-chat-overflow-native",
    model: "synthetic-llama:1b",
    from: 6,
    kind: "messages-dropped",
    lost: 252,
  },
] as const)("$version $scenario, byte for byte", ({ version, scenario, model, from, kind, lost }) => {
  it(
    "is one conversation that loses its oldest messages from the right turn on",
    { timeout: 60_000 },
    async () => {
      const captures = loadCaptures().filter((one) => one.version === version && one.scenario === scenario);
      const ollama = await startPlayedOllama(version, { name: model, contextLength: 512 });
      const { url } = await startBehind(ollama);
      for (const { exchange } of captures) {
        ollama.play({
          status: exchange.response.status,
          contentType: capturedHeader(exchange.response, "content-type") ?? "",
          body: Buffer.concat(capturedChunks(exchange.response)),
        });
        await post(url, Buffer.concat(capturedChunks(exchange.request)));
      }
      const { turns } = await toldOf(url, captures.length);
      const dropped = turns
        .toSorted((left, right) => (left.turn ?? 0) - (right.turn ?? 0))
        .flatMap(({ turn, notices }) =>
          notices.filter((notice) => notice.kind === kind).map(({ tokensLost }) => ({ turn, tokensLost })),
        );
      expect(dropped.map(({ turn }) => turn)).toEqual(
        Array.from({ length: captures.length - from + 1 }, (_, index) => from + index),
      );
      expect(Math.abs((dropped.at(-1)?.tokensLost ?? 0) - lost)).toBeLessThanOrEqual(2);
    },
  );
});

it(
  "a chat that goes on after a restart is judged by what is on record of it",
  { timeout: 60_000 },
  async () => {
    const chat = readChat("chat-synthetic-llama-v0.24");
    const ollama = await startPlayedOllama("v0.24", { name: chat.model, contextLength: chat.contextLength });
    onCleanUp(() => ollama.close());
    const dataDir = await mkdtemp(join(tmpdir(), "plimsoll-"));
    onCleanUp(() => rm(dataDir, { recursive: true }));
    const first = await startPlimsoll(ollama.url, { dataDir });
    const messages: { role: string; content: string }[] = [];
    await playFixture(first.url, ollama, { name: "chat-synthetic-llama-v0.24", until: 8, messages });
    await toldOf(first.url, 8);
    await first.app.close(0);
    await first.store.close();
    const { url } = await startPlimsoll(ollama.url, { dataDir });
    await playFixture(url, ollama, { name: "chat-synthetic-llama-v0.24", from: 8, messages, delayMs: 300 });
    const { turns, cliff, tokensPerTurn } = await toldOf(url, 10);
    const last = turns.find(({ turn }) => turn === 9);
    expect(last?.notices.map(({ kind }) => kind)).toEqual(["messages-dropped", "cliff"]);
    expect(cliff).toMatchObject({ state: "reached" });
    expect(Math.abs((tokensPerTurn?.predicted ?? 0) / 478 - 1)).toBeLessThan(0.1);
  },
);

it(
  "a model that Ollama neither lists nor describes is followed by its counts alone",
  { timeout: 60_000 },
  async () => {
    const ollama = await startPlayedOllama("v0.33", { name: "other:1b", contextLength: 2048 });
    const { url } = await startBehind(ollama);
    const turnCount = await playFixture(url, ollama, { name: "chat-gemma3-270m-v0.33" });
    const { turns, cliff } = await toldOf(url, turnCount);
    const told = (turn: number) => turns.find((one) => one.turn === turn)?.notices ?? [];
    expect(told(15).find(({ kind }) => kind === "cliff-ahead")).toMatchObject({ atTurn: 17, turnsAhead: 2 });
    expect(told(17).map(({ kind }) => kind)).toEqual(["messages-dropped", "cliff"]);
    expect(Math.abs(cliff?.prefillMs?.errorRatio ?? 1)).toBeLessThan(0.3);
    expect(cliff).not.toHaveProperty("bytesPerTurn");
  },
);
