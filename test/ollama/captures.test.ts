import { describe, expect, it } from "vitest";
import { createAnswerReader, type ReadAnswer } from "../../src/ollama/answer.ts";
import { classify, readsBody } from "../../src/ollama/endpoints.ts";
import { computes } from "../../src/ollama/operations.ts";
import { readRequest } from "../../src/ollama/request.ts";
import { capturedChunks, capturedHeader, loadCaptures, type Capture } from "../support/captures.ts";
import { pushInPieces } from "./cuts.ts";
import { expectedAnswer } from "./expectedAnswer.ts";

const CAPTURES = loadCaptures().map((capture) => {
  const { method, target } = capture.exchange.request;
  const path = target.replace(/^http:\/\/[^/]+/, "").replace(/\?.*$/, "");
  const title = `${capture.version} ${capture.scenario} #${capture.index} ${method} ${target}`;
  return { ...capture, title, endpoint: classify(method, path) };
});
const READ = CAPTURES.filter(({ endpoint }) => endpoint.operation !== "other");
const PIECE_SIZES = [1, 2, 3, 7, 64, 1000];

function readerFor({ exchange, endpoint }: (typeof CAPTURES)[number]) {
  return createAnswerReader({
    operation: endpoint.operation,
    dialect: endpoint.dialect,
    method: exchange.request.method,
    status: exchange.response.status,
    contentType: capturedHeader(exchange.response, "content-type"),
  });
}

/** An answer in the words of the expectation. */
function inShort({ complete, error, model, operation, contentChunkCount, usage }: ReadAnswer) {
  return { complete, errorCode: error?.code, model, operation, contentChunkCount, usage };
}

describe("the recordings", () => {
  it("are all there, with whole bodies", () => {
    expect(CAPTURES).toHaveLength(708);
    expect(READ.length).toBeGreaterThan(280);
    for (const { exchange, title } of CAPTURES) {
      const length = capturedHeader(exchange.response, "content-length");
      if (length !== undefined && exchange.request.method !== "HEAD") {
        const bytes = Buffer.concat(capturedChunks(exchange.response)).length;
        expect({ title, bytes }).toEqual({ title, bytes: Number(length) });
      }
    }
  });
});

describe("every recorded answer is read as what it says, however it is cut", () => {
  it.each(READ)("$title", (capture) => {
    const expected = { errorCode: undefined, ...expectedAnswer(capture.exchange, capture.endpoint.dialect) };
    const chunks = capturedChunks(capture.exchange.response);

    const asRecorded = readerFor(capture);
    chunks.forEach((chunk) => asRecorded.push(chunk));
    const answer = asRecorded.end("whole");
    expect(inShort(answer)).toEqual(expected);
    expect(answer.estimatedUsage === true).toBe(expected.usage?.["provenance"] === "derived");

    for (const size of PIECE_SIZES) {
      const reader = readerFor(capture);
      pushInPieces(Buffer.concat(chunks), size, reader.push);
      expect(reader.end("whole")).toEqual(answer);
    }
  });
});

describe("a recorded stream that is cut before its end", () => {
  const streams = READ.filter(({ exchange }) => (exchange.response.chunks?.length ?? 0) > 2);

  it("is never complete, and never a success of its own", () => {
    expect(streams.length).toBeGreaterThan(50);
    for (const capture of streams) {
      const chunks = capturedChunks(capture.exchange.response);
      const reader = readerFor(capture);
      chunks.slice(0, -1).forEach((chunk) => reader.push(chunk));
      expect(reader.complete()).toBe(false);
      const { complete, usage } = reader.end("cut");
      expect({ title: capture.title, complete }).toEqual({ title: capture.title, complete: false });
      // Only Anthropic's form states its counts before its last event.
      if (capture.endpoint.dialect !== "anthropic") {
        expect(usage?.provenance ?? "derived").toBe("derived");
      }
    }
  });
});

describe("every recorded request body", () => {
  const bodies = READ.filter(
    ({ endpoint, exchange }) =>
      readsBody(endpoint.operation) && capturedHeader(exchange.request, "content-encoding") === undefined,
  );

  function parsed({ exchange }: Capture): Record<string, unknown> | undefined {
    try {
      return JSON.parse(Buffer.concat(capturedChunks(exchange.request)).toString());
    } catch {
      return undefined;
    }
  }

  it("that is plain JSON names its model, its context and whether it only loads", () => {
    let count = 0;
    for (const capture of bodies) {
      const body = parsed(capture);
      const keys = Object.keys(body ?? {});
      if (body === undefined || keys.some((key) => key !== key.toLowerCase())) {
        continue;
      }
      count += 1;
      const facts = readRequest(Buffer.concat(capturedChunks(capture.exchange.request)), capture.endpoint);
      const options = body["options"] as Record<string, unknown> | undefined;
      const numCtx = options?.["num_ctx"];
      const messages = body["messages"];
      expect(facts.model).toBe(body["model"] || body["name"] || undefined);
      expect(facts.requestedContextLength).toBe(typeof numCtx === "number" ? numCtx : undefined);
      if (Array.isArray(messages)) {
        expect(facts.messageCount).toBe(messages.length);
      }
    }
    expect(count).toBeGreaterThan(250);
  });

  it("that only loads is one that Ollama answered as a load or unload", () => {
    for (const capture of bodies) {
      const facts = readRequest(Buffer.concat(capturedChunks(capture.exchange.request)), capture.endpoint);
      if (capture.exchange.response.status !== 200 || !computes(capture.endpoint.operation)) {
        continue;
      }
      const { operation } = expectedAnswer(capture.exchange, capture.endpoint.dialect);
      const loads = facts.empty === true ? (facts.keepAliveSeconds === 0 ? "unload" : "load") : undefined;
      expect({ title: capture.title, loads }).toEqual({ title: capture.title, loads: operation });
    }
  });

  it("that Ollama unpacked is unpacked here, and no other", () => {
    const packed = READ.filter(
      ({ exchange }) => capturedHeader(exchange.request, "content-encoding") !== undefined,
    );
    expect(packed).toHaveLength(8);
    for (const { exchange, endpoint, title } of packed) {
      const contentEncoding = capturedHeader(exchange.request, "content-encoding");
      const facts = readRequest(Buffer.concat(capturedChunks(exchange.request)), {
        ...endpoint,
        contentEncoding,
      });
      expect({ title, unread: facts.unread }).toEqual({
        title,
        unread: exchange.response.status === 200 ? undefined : "encoding",
      });
    }
  });
});
