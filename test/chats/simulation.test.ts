import { describe, expect, it } from "vitest";
import { createIdentify, type Identify } from "../../src/chats/identify.ts";
import { createRandom } from "../../src/demo/random.ts";
import { createAnswerReader } from "../../src/ollama/answer.ts";
import { givenIds } from "../../src/ollama/givenIds.ts";
import { readRequest } from "../../src/ollama/request.ts";
import type { Exchange } from "../../src/types.ts";
import { simulatePeople, type SimulatedRequest } from "./simulatePeople.ts";

const CHATS = 10_000;
const SALT = "salt of the test";

/** Follows everything that was asked; each end is told when it happens, between the beginnings of others. */
function follow(requests: readonly SimulatedRequest[], restartAt?: number): Map<SimulatedRequest, string> {
  const found = new Map<SimulatedRequest, string>();
  const moved = new Map<string, string>();
  const ids = new Map<string, SimulatedRequest>();
  const used = new Set<string>();
  let count = 0;
  const start = (): Identify =>
    createIdentify({
      newId: () => `c${(count += 1)}`,
      moved: ({ exchangeId, to }) => moved.set(exchangeId, to),
    });
  let identify = start();
  const ending: { at: number; end: () => void }[] = [];
  requests.forEach((request, index) => {
    while (ending[0] !== undefined && ending[0].at <= request.at) {
      ending.shift()?.end();
    }
    if (index === restartAt) {
      // Whoever stops Plimsoll lets answers in progress run on.
      ending.splice(0).forEach(({ end }) => end());
      const heads = [...used].map((id) => identify.heads(id)).filter((one) => one !== undefined);
      identify = start();
      identify.restore(JSON.parse(JSON.stringify(heads)));
    }
    const { exchange, end } = exchangeOf(request, index);
    const facts = readRequest(Buffer.from(JSON.stringify(request.body)), { ...request, salt: SALT });
    const given = givenIds((name) => (name === "x-openwebui-chat-id" ? request.givenId : undefined), SALT);
    const identified = identify.begin(exchange, {
      ...facts,
      conversation: { ...facts.conversation, ...given },
    });
    if (identified !== undefined) {
      found.set(request, identified.conversationId);
      ids.set(exchange.id, request);
      used.delete(identified.conversationId);
      used.add(identified.conversationId);
    }
    const at = request.at + request.answerMs;
    const place = ending.findIndex((other) => other.at > at);
    ending.splice(place === -1 ? ending.length : place, 0, { at, end: () => end(identify) });
  });
  for (const [exchangeId, conversationId] of moved) {
    const request = ids.get(exchangeId);
    if (request !== undefined) {
      found.set(request, conversationId);
    }
  }
  return found;
}

function exchangeOf(request: SimulatedRequest, index: number) {
  const exchange: Exchange = {
    id: `e${index}`,
    startedAt: request.at,
    operation: request.operation,
    dialect: request.dialect,
    method: "POST",
    path: "/",
    model: "m",
    client: request.client,
    requestBytes: 0,
    responseBytes: 0,
    chunkCount: 0,
    state: { phase: "waiting" },
    notices: [],
  };
  const end = (identify: Identify): void => {
    const endedAt = request.at + request.answerMs;
    exchange.state =
      request.ends === "failed"
        ? { phase: "failed", endedAt, error: { code: "x", message: "x" } }
        : { phase: request.ends, endedAt };
    const reader = createAnswerReader({
      operation: request.operation,
      dialect: request.dialect,
      method: "POST",
      status: 200,
      contentType: "application/json",
      salt: SALT,
    });
    reader.push(Buffer.from(JSON.stringify(answerOf(request))));
    identify.end(exchange, request.ends === "failed" ? undefined : reader.end("whole"));
  };
  return { exchange, end };
}

function answerOf({ dialect, answer = "", responseId }: SimulatedRequest): object {
  switch (dialect) {
    case "openai":
      return {
        model: "m",
        choices: [{ message: { role: "assistant", content: answer }, finish_reason: "stop" }],
      };
    case "anthropic":
      return { model: "m", content: [{ type: "text", text: answer }], stop_reason: "end_turn" };
    case "responses":
      return {
        id: responseId,
        model: "m",
        output: [{ content: [{ type: "output_text", text: answer }] }],
        usage: { input_tokens: 1 },
      };
    default:
      return {
        model: "m",
        message: { role: "assistant", content: answer },
        response: answer,
        done: true,
        done_reason: "stop",
      };
  }
}

/** A turn is right where most of its chat was put, if most of what was put there is of its chat. */
function judge(found: ReadonlyMap<SimulatedRequest, string>) {
  const turns = [...found].filter(([{ kind }]) => kind === "turn");
  const sides = [...found].filter(([{ kind }]) => kind === "side");
  const homeOf = mostly(turns.map(([{ truth }, id]) => [truth, id]));
  const ownerOf = mostly(turns.map(([{ truth }, id]) => [id, truth]));
  const right = turns.filter(([{ truth }, id]) => homeOf.get(truth) === id && ownerOf.get(id) === truth);
  const chatsIn = new Map<string, Set<string>>();
  for (const [{ truth }, id] of turns) {
    chatsIn.set(id, (chatsIn.get(id) ?? new Set()).add(truth));
  }
  const chats = new Set(turns.map(([, id]) => id));
  const merged = [...chatsIn.values()].filter((truths) => truths.size > 1);
  const opening = new Map(turns.toReversed().map(([{ truth, opening: said }]) => [truth, said]));
  const openingsOf = (truths: ReadonlySet<string>) => new Set([...truths].map((truth) => opening.get(truth)));
  return {
    turns: turns.length,
    rightRatio: right.length / turns.length,
    merged: merged.filter((truths) => openingsOf(truths).size > 1).length,
    /** Of chats that one client began with the same words: on the wire they are one, until they part. */
    mergedAlike: merged.filter((truths) => openingsOf(truths).size === 1).length,
    conversations: chats.size,
    sideRequests: sides.length,
    sideRequestsInChats: sides.filter(([, id]) => chats.has(id)).length,
  };
}

function mostly(pairs: readonly (readonly [string, string])[]): Map<string, string> {
  const counts = new Map<string, Map<string, number>>();
  for (const [key, value] of pairs) {
    const of = counts.get(key) ?? new Map<string, number>();
    counts.set(key, of.set(value, (of.get(value) ?? 0) + 1));
  }
  return new Map(
    [...counts].map(([key, of]) => [key, [...of].reduce((most, one) => (one[1] > most[1] ? one : most))[0]]),
  );
}

describe("ten thousand chats at one Ollama", () => {
  const { requests } = simulatePeople({ chats: CHATS, random: createRandom(5) });

  it("are told apart", () => {
    const started = performance.now();
    const result = judge(follow(requests));
    console.log(
      "followed:",
      JSON.stringify({
        ...result,
        microsecondsPerRequest: Math.round(((performance.now() - started) * 1000) / requests.length),
      }),
    );
    expect(result.rightRatio).toBeGreaterThanOrEqual(0.995);
    expect(result.merged).toBe(0);
    expect(result.mergedAlike).toBeLessThan(CHATS / 200);
    expect(result.sideRequestsInChats).toBe(0);
  }, 120_000);

  it("are told apart over a restart in their middle", () => {
    const { requests } = simulatePeople({ chats: CHATS / 10, random: createRandom(6) });
    const result = judge(follow(requests, Math.floor(requests.length / 2)));
    console.log("followed over a restart:", JSON.stringify(result));
    const unbroken = judge(follow(requests));
    expect(result.rightRatio).toBeGreaterThanOrEqual(unbroken.rightRatio - 0.001);
    expect(result.merged).toBe(0);
  }, 60_000);
});
