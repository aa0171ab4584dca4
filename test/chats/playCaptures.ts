/** Plays recorded exchanges past the watch of chats, in their order, as a server would. */
import { createAnswerReader } from "../../src/ollama/answer.ts";
import { classify } from "../../src/ollama/endpoints.ts";
import { readRequest } from "../../src/ollama/request.ts";
import { estimateMemory } from "../../src/predict/estimate.ts";
import { createRemedies } from "../../src/predict/remedies.ts";
import { resolveSettings } from "../../src/predict/resolveSettings.ts";
import { shapeFromShow } from "../../src/predict/shapeFromShow.ts";
import { createChatWatch, type ChatWatch, type ChatWatchParts } from "../../src/chats/watch.ts";
import type { AnswerFacts, Exchange, RequestFacts } from "../../src/types.ts";
import { capturedChunks, capturedHeader, loadCaptures, type Capture } from "../support/captures.ts";

export const VERSIONS: Record<string, string> = { "v0.24": "0.24.0", "v0.33": "0.33.0-rc2" };

const captures = loadCaptures();

/** The models of the recordings, by version and name. */
const shows = new Map(
  captures
    .filter(({ scenario, exchange }) => scenario === "04-show" && exchange.response.status === 200)
    .map(({ version, exchange }) => {
      const asked = JSON.parse(Buffer.concat(capturedChunks(exchange.request)).toString()) as {
        model?: string;
      };
      const show = JSON.parse(Buffer.concat(capturedChunks(exchange.response)).toString()) as Record<
        string,
        unknown
      >;
      return [`${version} ${asked.model}`, shapeFromShow(show)] as const;
    }),
);

export interface WatchedModels {
  version: string;
  /** Of one slot, where no request says it. */
  contextLength?: number;
  loadId?: string;
  more?: Partial<ChatWatchParts>;
}

export function watchOf({ version, contextLength, loadId, more }: WatchedModels): ChatWatch {
  const ollamaVersion = VERSIONS[version];
  return createChatWatch({
    ollamaVersion: () => ollamaVersion,
    model: (name, asked) => {
      const shape = shows.get(`${version} ${name}`);
      const context = asked ?? contextLength;
      return {
        key: name,
        contextLength,
        trainedContextLength: shape?.trainedContextLength,
        slots: 1,
        loadId,
        windowTokens: shape?.window,
        ...(shape !== undefined && {
          estimate: estimateMemory(
            shape,
            resolveSettings({
              shape,
              ollamaVersion,
              ...(context !== undefined && { ps: { contextLength: context } }),
            }),
          ),
        }),
      };
    },
    prefillMs: () => undefined,
    headroomBytes: () => undefined,
    larger: () => undefined,
    remedies: () => createRemedies({ ollamaVersion }),
    scored: () => {},
    kept: () => undefined,
    onRecord: async () => undefined,
    changed: () => {},
    completed: () => {},
    ...more,
  });
}

/** All exchanges of a scenario, watched one after the other; a chat goes on while its messages grow. */
export function playScenario(version: string, scenario: string, contextLength?: number): Exchange[] {
  const watch = watchOf({ version, contextLength });
  const chat = { id: "", turn: 0, previousId: "", messageCount: Infinity };
  return captures
    .filter((capture) => capture.version === version && capture.scenario === scenario)
    .map((capture) => {
      const { exchange, facts, answer } = readCapture(capture);
      const messages = facts.messageCount ?? 1;
      const goesOn = exchange.operation === "chat" && messages > chat.messageCount;
      Object.assign(
        chat,
        goesOn ? { turn: chat.turn + 1 } : { id: exchange.id, turn: 1, previousId: undefined },
      );
      watch.began(exchange, facts, {
        conversationId: chat.id,
        turn: chat.turn,
        purpose: "chat",
        isBranch: false,
        isNew: !goesOn,
        ...(goesOn && { previousId: chat.previousId }),
      });
      finish(exchange, answer);
      watch.ended(exchange, answer, { alone: true });
      Object.assign(chat, { previousId: exchange.id, messageCount: messages });
      return exchange;
    });
}

export function capturedScenarios(): { version: string; scenario: string }[] {
  const names = new Set(captures.map(({ version, scenario }) => `${version} ${scenario}`));
  return [...names].map((name) => {
    const [version = "", scenario = ""] = name.split(" ");
    return { version, scenario };
  });
}

function readCapture({ exchange: { request, response }, scenario, index }: Capture): {
  exchange: Exchange;
  facts: RequestFacts;
  answer: AnswerFacts;
} {
  const path = request.target.replace(/^http:\/\/[^/]+/, "").replace(/\?.*$/, "");
  const { operation, dialect } = classify(request.method, path);
  const facts = readRequest(Buffer.concat(capturedChunks(request)), { operation, dialect });
  const reader = createAnswerReader({
    operation,
    dialect,
    method: request.method,
    status: response.status,
    contentType: capturedHeader(response, "content-type"),
    contentEncoding: capturedHeader(response, "content-encoding"),
  });
  capturedChunks(response).forEach((chunk) => reader.push(chunk));
  const exchange: Exchange = {
    id: `${scenario}#${index}`,
    startedAt: index * 1000,
    operation: facts.empty === true ? "load" : operation,
    dialect,
    method: request.method,
    path,
    model: facts.model,
    client: {},
    stream: facts.stream,
    status: response.status,
    requestedContextLength: facts.requestedContextLength,
    requestBytes: 0,
    responseBytes: 0,
    chunkCount: 0,
    state: { phase: "waiting" },
    notices: [],
  };
  return { exchange, facts, answer: reader.end("whole") };
}

function finish(exchange: Exchange, answer: AnswerFacts): void {
  exchange.usage = answer.usage;
  const endedAt = exchange.startedAt + 900;
  exchange.state =
    answer.error === undefined
      ? { phase: "completed", endedAt }
      : { phase: "failed", endedAt, error: answer.error };
}
