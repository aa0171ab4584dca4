/** What has been found in an answer so far, event by event. */
import type { Dialect, Usage } from "../types.ts";
import type { AnswerClueReader } from "./answerClues.ts";
import { readAnswerEvent, type AnswerEvent } from "./answerEvent.ts";
import { createJsonSketch, type JsonSketch } from "./jsonSketch.ts";
import { asObject, type JsonObject } from "./lenient.ts";
import { createLineSplitter, type LineSplitter } from "./ndjson.ts";
import { isPlainContent } from "./plainChunk.ts";
import { createSseSplitter } from "./sse.ts";

/** What has been seen of an answer so far. */
export interface AnswerFindings {
  model?: string;
  usage?: Usage;
  doneReason?: string;
  errorText?: string;
  contextTokens?: number;
  /** What the next request will bring back, if that is wanted. */
  clues?: AnswerClueReader | undefined;
  /** Objects or events read, whatever they said. */
  objectCount: number;
  contentChunkCount: number;
  /** The last event has been seen. */
  final: boolean;
  /** A chunk came that stands for an error without words. */
  blank: boolean;
  /** A line was too long to be read; it may have been the last one. */
  oversize: boolean;
}

export interface StreamContext {
  dialect: Dialect;
  onContent?: (() => void) | undefined;
}

/** Ollama's own client gives up on lines over 8 MB; the slack is for those that just reach it. */
const LINE_LIMIT_BYTES = 8 * 1024 * 1024 + 64 * 1024;
/** Longer lines are sketched: parsing one, mostly the token ids of a long `context`, would hold up other streams. */
const PARSE_LIMIT_BYTES = 64 * 1024;
const DONE = Buffer.from("[DONE]");

export function newFindings(clues?: AnswerClueReader): AnswerFindings {
  return { clues, objectCount: 0, contentChunkCount: 0, final: false, blank: false, oversize: false };
}

/** Adds what one event says to what is known; the later word on usage and model wins. */
export function absorb(findings: AnswerFindings, event: AnswerEvent): void {
  findings.objectCount += 1;
  findings.model = event.model ?? findings.model;
  findings.usage = event.usage ?? findings.usage;
  findings.doneReason = event.doneReason ?? findings.doneReason;
  findings.errorText ??= event.errorText;
  findings.contextTokens = event.contextTokens ?? findings.contextTokens;
  findings.final ||= event.final === true;
  findings.blank ||= event.blank === true;
  findings.clues?.event(event);
}

/** Reads a stream of JSON lines or server-sent events into `findings`. */
export function createStreamReader(
  kind: "lines" | "events",
  findings: AnswerFindings,
  context: StreamContext,
): LineSplitter {
  function readChunk(bytes: Buffer, name: string): void {
    const known = findings.contentChunkCount > 0 && isPlainContent(bytes, { dialect: context.dialect, name });
    if (known && findings.clues?.wantsText(bytes) !== true) {
      findings.objectCount += 1;
      countContent();
      return;
    }
    if (kind === "events" && bytes.equals(DONE)) {
      findings.final = true;
      return;
    }
    const value = parseObject(bytes);
    if (value === undefined) {
      return;
    }
    findings.clues?.bytes(bytes);
    const event = readAnswerEvent(value, context.dialect);
    absorb(findings, event);
    if (event.content === true) {
      countContent();
    }
  }

  function countContent(): void {
    findings.contentChunkCount += 1;
    context.onContent?.();
  }

  const onOversize = (): void => {
    findings.oversize = true;
  };
  return kind === "lines"
    ? createLineSplitter({
        maxLineBytes: LINE_LIMIT_BYTES,
        onLine: (line) => readChunk(line, ""),
        onOversize,
      })
    : createSseSplitter({
        maxEventBytes: LINE_LIMIT_BYTES,
        onEvent: ({ name, data }) => readChunk(data, name),
        onOversize,
      });
}

/** An outline keeps the head of the token ids only; what is wanted of them is their number. */
export function wholeContext(
  value: JsonObject | undefined,
  sketch: Pick<JsonSketch, "longestNumberList">,
): JsonObject | undefined {
  const context = value?.["context"];
  return Array.isArray(context) && sketch.longestNumberList() > context.length
    ? { ...value, context: Array(sketch.longestNumberList()) }
    : value;
}

function parseObject(bytes: Buffer): JsonObject | undefined {
  if (bytes.length > PARSE_LIMIT_BYTES) {
    const sketch = createJsonSketch();
    sketch.push(bytes);
    return wholeContext(asObject(sketch.value()), sketch);
  }
  try {
    return asObject(JSON.parse(bytes.toString("utf8")));
  } catch {
    return undefined;
  }
}
