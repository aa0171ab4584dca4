/** Conversations from the wire to the API: followed, listed, gone on with after a restart, forgotten. */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createSimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import type { Conversation, Exchange, ServerMessage, Snapshot } from "../../src/types.ts";
import { cleanUp, onCleanUp, startPlimsoll, type Started } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

interface Message {
  role: string;
  content: string;
}

async function startUpstream(): Promise<string> {
  const ollama = createSimulatedOllama({ instant: true, seed: 3 });
  onCleanUp(() => ollama.close());
  return (await ollama.listen()).url;
}

async function aDataDir(): Promise<string> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), "plimsoll-"));
  onCleanUp(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

/** Says something more in a chat and answers what the model said. */
async function say(url: string, history: Message[], content: string, headers: Record<string, string> = {}) {
  history.push({ role: "user", content });
  const body = JSON.stringify({
    model: "gemma3:270m",
    messages: history,
    stream: false,
    options: { num_predict: 8 },
  });
  const response = await fetch(`${url}/api/chat`, {
    method: "POST",
    headers: { "user-agent": "tester/1", ...headers },
    body,
  });
  const { message } = (await response.json()) as { message: Message };
  history.push({ role: "assistant", content: message.content });
}

async function get<T>(url: string, what: string): Promise<T> {
  return (await (await fetch(`${url}/plimsoll/api/${what}`)).json()) as T;
}

const list = async (url: string, query = "") =>
  (await get<{ conversations: Conversation[] }>(url, `conversations${query}`)).conversations;

describe("conversations", () => {
  it("are followed from turn to turn, apart from each other and from what programs ask", async () => {
    const { url } = await startPlimsoll(await startUpstream());
    const one: Message[] = [];
    const two: Message[] = [];
    await say(url, one, "hi");
    await say(url, two, "hi", { "user-agent": "other/2" });
    await say(url, one, "and how are you?");
    await say(
      url,
      [],
      "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.",
    );
    await say(url, one, "good");
    const all = await list(url);
    expect(all.map(({ turnCount, client, purpose }) => ({ turnCount, client, purpose }))).toEqual([
      { turnCount: 3, client: "tester", purpose: "chat" },
      { turnCount: 1, client: "other", purpose: "chat" },
    ]);
    expect(await list(url, "?purpose=title")).toHaveLength(1);
    expect(await list(url, "?client=other")).toHaveLength(1);
    const chat = await get<Conversation>(url, `conversations/${all[0]?.id}`);
    expect(chat.turns?.map(({ turn, state }) => [turn, state.phase])).toEqual(
      [1, 2, 3].map((turn) => [turn, "completed"]),
    );
    expect(chat.turns?.every(({ usage }) => (usage?.inputTokens ?? 0) > 0)).toBe(true);
    const ofOne = await get<{ exchanges: Exchange[] }>(url, `exchanges?conversation=${chat.id}`);
    expect(ofOne.exchanges).toHaveLength(3);
    const snapshot = await get<Snapshot>(url, "status");
    expect(snapshot.conversations?.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    const csv = await (await fetch(`${url}/plimsoll/api/conversations?format=csv`)).text();
    expect(csv.split("\r\n")[1]).toContain("tester");
  });

  it("go on after a restart, also where a message is edited then", async () => {
    const dataDir = await aDataDir();
    const upstream = await startUpstream();
    const restart = async (before?: Started): Promise<Started> => {
      await before?.app.close(1000);
      await before?.store.close();
      return startPlimsoll(upstream, { dataDir });
    };
    const history: Message[] = [];
    const first = await restart();
    await say(first.url, history, "hi");
    await say(first.url, history, "and how are you?");
    const second = await restart(first);
    await say(second.url, history, "good");
    await say(second.url, history.slice(0, 4), "not good");
    const [chat, ...others] = await list(second.url);
    expect(others).toEqual([]);
    expect(chat).toMatchObject({ turnCount: 3, branchCount: 1 });
    const { turns } = await get<Conversation>(second.url, `conversations/${chat?.id}`);
    expect(turns?.map(({ turn }) => turn)).toEqual([1, 2, 3, 3]);
    expect(turns?.[3]?.branchOf).toBe(turns?.[1]?.id);
    expect(chat?.startedAt).toBe(turns?.[0]?.startedAt);
  });

  it("that begin alike are parted in the record as well, once both go on", async () => {
    const { url } = await startPlimsoll(await startUpstream());
    const opening = "Tell me something about the Romans that I would not guess.";
    const one: Message[] = [];
    const two: Message[] = [];
    await say(url, one, opening);
    await say(url, two, opening);
    expect(two[1]).not.toEqual(one[1]);
    expect(await list(url)).toHaveLength(1);
    await say(url, two, "two goes on");
    await say(url, one, "one goes on");
    const chats = await list(url);
    expect(chats.map(({ turnCount }) => turnCount)).toEqual([2, 2]);
    for (const { id } of chats) {
      const { turns } = await get<Conversation>(url, `conversations/${id}`);
      expect(turns?.map(({ turn }) => turn)).toEqual([1, 2]);
    }
  });

  it("are told live, and forgotten in all places", async () => {
    const dataDir = await aDataDir();
    const { url } = await startPlimsoll(await startUpstream(), { dataDir });
    const told: ServerMessage[] = [];
    const socket = new WebSocket(`${url.replace("http", "ws")}/plimsoll/live`);
    socket.onmessage = (event) => told.push(JSON.parse(String(event.data)) as ServerMessage);
    await new Promise((resolve) => (socket.onopen = resolve));
    const history: Message[] = [];
    await say(url, history, "hi");
    await waitFor(() => told.some((message) => message.type === "conversation"));
    const id = (await list(url))[0]?.id ?? "";
    const gone = await fetch(`${url}/plimsoll/api/conversations/${id}`, { method: "DELETE" });
    expect(await gone.json()).toMatchObject({ exchanges: 1 });
    await waitFor(() => told.some((message) => message.type === "removed" && message.id === id));
    expect(await list(url)).toEqual([]);
    const missing = await fetch(`${url}/plimsoll/api/conversations/${id}`);
    expect([missing.status, await missing.json()]).toMatchObject([404, { error: { code: "not-found" } }]);
    await say(url, history, "still there?");
    expect((await list(url))[0]).toMatchObject({ turnCount: 1 });
    expect((await list(url))[0]?.id).not.toBe(id);
    socket.close();
  });

  it("are followed through generate by its context", async () => {
    const { url } = await startPlimsoll(await startUpstream());
    const generate = async (more: object): Promise<number[]> => {
      const body = JSON.stringify({
        model: "gemma3:270m",
        prompt: "go on",
        options: { num_predict: 8 },
        ...more,
      });
      const text = await (await fetch(`${url}/api/generate`, { method: "POST", body })).text();
      const last = JSON.parse(text.trim().split("\n").at(-1) ?? "") as { context: number[] };
      return last.context;
    };
    const context = await generate({});
    await generate({ context });
    await generate({ stream: false });
    expect((await list(url)).map(({ turnCount }) => turnCount)).toEqual([1, 2]);
  });

  it("say what is wrong with a question", async () => {
    const { url } = await startPlimsoll(await startUpstream());
    for (const query of ["?limit=0", "?before=x", "?purpose=fun", "?colour=red"]) {
      const answer = await fetch(`${url}/plimsoll/api/conversations${query}`);
      expect([query, answer.status]).toEqual([query, 400]);
    }
  });
});
