/** Chats recorded with real servers are followed from their first turn to their last. */
import { describe, expect, it } from "vitest";
import { createIdentify } from "../../src/chats/identify.ts";
import type { Place } from "../../src/chats/place.ts";
import { createAnswerReader } from "../../src/ollama/answer.ts";
import { classify } from "../../src/ollama/endpoints.ts";
import { readRequest } from "../../src/ollama/request.ts";
import type { Exchange } from "../../src/types.ts";
import { capturedChunks, capturedHeader, loadCaptures, type Capture } from "../support/captures.ts";

const SALT = "s";
const captures = loadCaptures();

/** Follows the exchanges of one scenario, one after the other. */
function followed(version: string, scenario: string): (Place | undefined)[] {
  let count = 0;
  const identify = createIdentify({ newId: () => `c${(count += 1)}` });
  return captures
    .filter((capture) => capture.version === version && capture.scenario === scenario)
    .map((capture) => one(capture));

  function one({ exchange: { request, response }, index }: Capture): Place | undefined {
    const { operation, dialect } = classify(request.method, request.target);
    const exchange: Exchange = {
      id: `e${index}`,
      startedAt: index * 10_000,
      operation,
      dialect,
      method: request.method,
      path: request.target,
      client: { userAgent: capturedHeader(request, "user-agent"), address: "127.0.0.1" },
      requestBytes: 0,
      responseBytes: 0,
      chunkCount: 0,
      state: { phase: "waiting" },
      notices: [],
    };
    const facts = readRequest(Buffer.concat(capturedChunks(request)), { operation, dialect, salt: SALT });
    exchange.operation = facts.empty === true ? "load" : operation;
    const identified = identify.begin(exchange, facts);
    const reader = createAnswerReader({
      operation,
      dialect,
      method: request.method,
      status: response.status,
      contentType: capturedHeader(response, "content-type"),
      salt: SALT,
    });
    capturedChunks(response).forEach((chunk) => reader.push(chunk));
    const answer = reader.end("whole");
    const endedAt = exchange.startedAt + 5000;
    exchange.state =
      answer.error === undefined
        ? { phase: "completed", endedAt }
        : { phase: "failed", endedAt, error: answer.error };
    identify.end(exchange, answer);
    return identified;
  }
}

describe("captured chats", () => {
  it.each([
    ["v0.33", "14-chat-6-turns", 6],
    ["v0.33", "16-chat-overflow-native", 8],
    ["v0.24", "15-chat-overflow", 12],
  ])("%s %s is one, turn by turn", (version, scenario, turns) => {
    const found = followed(version, scenario);
    expect(found.map((turn) => turn?.turn)).toEqual(Array.from({ length: turns }, (_, index) => index + 1));
    expect(new Set(found.map((turn) => turn?.conversationId)).size).toBe(1);
    expect(found.some((turn) => turn?.isBranch)).toBe(false);
  });

  it("loads, unloads and questions about models are none", () => {
    // One of them is a prompt.
    const found = followed("v0.33", "11-load-unload").map((turn) => turn?.purpose);
    expect(found.filter((purpose) => purpose !== undefined)).toEqual(["single"]);
  });

  it("prompts without a context stand alone", () => {
    const found = followed("v0.24", "45-prefix-cache-speed").filter((turn) => turn !== undefined);
    expect(found.length).toBeGreaterThan(1);
    expect(new Set(found.map((turn) => turn.conversationId)).size).toBe(found.length);
  });
});
