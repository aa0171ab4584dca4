/**
 * What a recorded answer should be read as, worked out from the whole recording with `JSON.parse` and nothing of ours:
 * the other half of the comparison in `captures.test.ts`.
 */
import { capturedChunks, capturedHeader, type CapturedExchange } from "../support/captures.ts";

export interface ExpectedAnswer {
  complete: boolean;
  errorCode?: string;
  model?: string | undefined;
  operation?: string;
  contentChunkCount: number;
  usage?: Record<string, number | string> | undefined;
}

type Counts = Record<
  "prompt_tokens" | "completion_tokens" | "input_tokens" | "output_tokens",
  number | undefined
>;

interface NativeObject {
  model?: string;
  response?: string;
  thinking?: string;
  message?: { content?: string; thinking?: string; tool_calls?: unknown[] };
  done?: boolean;
  done_reason?: string;
  error?: string;
  status?: string;
  embeddings?: unknown;
  _debug_info?: unknown;
  total_duration?: number;
  load_duration?: number;
  prompt_eval_duration?: number;
  eval_duration?: number;
  prompt_eval_count?: number;
  eval_count?: number;
}

interface OpenaiObject {
  model: string;
  choices: {
    text?: string;
    delta?: { content?: string; reasoning?: string; tool_calls?: unknown[] };
    finish_reason: string | null;
  }[];
  usage?: Counts;
}

interface AnthropicObject {
  type: string;
  model?: string;
  message?: { model: string };
  delta?: { text?: string; stop_reason?: string };
  stop_reason?: string;
  usage?: Counts;
}

interface ResponsesObject {
  type: string;
  model?: string;
  response?: { model: string; usage?: Counts };
  usage?: Counts;
}

export function expectedAnswer(exchange: CapturedExchange, dialect: string): ExpectedAnswer {
  const { response } = exchange;
  const text = Buffer.concat(capturedChunks(response)).toString();
  if (response.status >= 400) {
    return { complete: true, errorCode: `http-${response.status}`, contentChunkCount: 0 };
  }
  const type = capturedHeader(response, "content-type") ?? "";
  if (type.startsWith("application/json")) {
    return { contentChunkCount: 0, ...expectedDocument(text, dialect) };
  }
  if (type === "text/event-stream") {
    return expectedEvents(text, dialect);
  }
  const lines = text.split("\n").filter((line) => line !== "");
  return expectedLines(lines.map((line) => JSON.parse(line) as NativeObject));
}

function expectedLines(values: NativeObject[]): ExpectedAnswer {
  const last = values.at(-1);
  const contentChunkCount = values.filter(
    ({ response, thinking, message }) =>
      (response ?? "") + (thinking ?? "") + (message?.content ?? "") + (message?.thinking ?? "") !== "" ||
      message?.tool_calls !== undefined,
  ).length;
  const base = { model: values[0]?.model, contentChunkCount };
  if (last === undefined) {
    return { ...base, complete: false, errorCode: "empty-answer" };
  }
  if (last.status === "success") {
    return { ...base, complete: true };
  }
  if (last.done === true) {
    return { ...base, complete: true, usage: nativeUsage(last) };
  }
  const failed = values.length === 1 ? "error-in-answer" : "upstream-error";
  const errorCode = last.error === undefined ? "ended-early" : failed;
  return { ...base, complete: false, errorCode, usage: estimate(contentChunkCount) };
}

function expectedEvents(text: string, dialect: string): ExpectedAnswer {
  const data = text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => event.slice(event.indexOf("data: ") + 6));
  const isDone = data.at(-1) === "[DONE]";
  const values = data.filter((line) => line !== "[DONE]").map((line) => JSON.parse(line) as unknown);
  switch (dialect) {
    case "openai":
      return expectedOpenai(values as OpenaiObject[], isDone);
    case "anthropic":
      return expectedAnthropic(values as AnthropicObject[]);
    default:
      return expectedResponses(values as ResponsesObject[]);
  }
}

function expectedOpenai(values: OpenaiObject[], isDone: boolean): ExpectedAnswer {
  const contentChunkCount = values.filter(({ choices: [choice] }) => {
    const delta = choice?.delta;
    const text = (choice?.text ?? "") + (delta?.content ?? "") + (delta?.reasoning ?? "");
    return text !== "" || delta?.tool_calls !== undefined;
  }).length;
  const base = { model: values[0]?.model, contentChunkCount };
  if (!isDone) {
    const errorCode = values.at(-1)?.model === "" ? "upstream-error" : "ended-early";
    return { ...base, complete: false, errorCode, usage: estimate(contentChunkCount) };
  }
  const stated = values.find(({ choices }) => choices.length === 0)?.usage;
  const reason = values.map(({ choices: [choice] }) => choice?.finish_reason).find(Boolean) ?? "";
  const usage = stated === undefined ? estimate(contentChunkCount) : compatible(stated);
  return { ...base, complete: true, usage: { ...usage, doneReason: reason } };
}

function expectedAnthropic(values: AnthropicObject[]): ExpectedAnswer {
  const contentChunkCount = values.filter(({ type }) => type === "content_block_delta").length;
  const base = { model: values[0]?.message?.model, contentChunkCount };
  if (values.at(-1)?.type !== "message_stop") {
    return { ...base, complete: false, errorCode: "ended-early", usage: estimate(contentChunkCount) };
  }
  const end = values.find(({ type }) => type === "message_delta");
  const doneReason = end?.delta?.stop_reason ?? "";
  return { ...base, complete: true, usage: { ...compatible(end?.usage), doneReason } };
}

function expectedResponses(values: ResponsesObject[]): ExpectedAnswer {
  const contentChunkCount = values.filter(({ type }) => type === "response.output_text.delta").length;
  const base = { model: values[0]?.response?.model, contentChunkCount };
  const last = values.at(-1);
  return last?.type === "response.completed"
    ? { ...base, complete: true, usage: compatible(last.response?.usage) }
    : { ...base, complete: false, errorCode: "ended-early", usage: estimate(contentChunkCount) };
}

function expectedDocument(text: string, dialect: string): Omit<ExpectedAnswer, "contentChunkCount"> {
  switch (dialect) {
    case "openai": {
      const { model, choices, usage } = JSON.parse(text) as OpenaiObject;
      const reason = choices[0]?.finish_reason;
      return reason
        ? { model, complete: true, usage: { ...compatible(usage), doneReason: reason } }
        : { model, complete: false, errorCode: "ended-early" };
    }
    case "anthropic": {
      const { model, usage, stop_reason: doneReason = "" } = JSON.parse(text) as AnthropicObject;
      return { model, complete: true, usage: { ...compatible(usage), doneReason } };
    }
    case "responses": {
      const { model, usage } = JSON.parse(text) as ResponsesObject;
      return { model, complete: true, usage: compatible(usage) };
    }
    default:
      return expectedNative(JSON.parse(text) as NativeObject);
  }
}

function expectedNative(value: NativeObject): Omit<ExpectedAnswer, "contentChunkCount"> {
  const model = value.model === "" ? undefined : value.model;
  if (value.done_reason === "load" || value.done_reason === "unload") {
    return { model, complete: true, operation: value.done_reason };
  }
  if (value.embeddings !== undefined || value.status === "success" || value._debug_info !== undefined) {
    return { model, complete: true };
  }
  return value.done === true
    ? { model, complete: true, usage: nativeUsage(value) }
    : { model, complete: false, errorCode: "ended-early" };
}

function nativeUsage(final: NativeObject): Record<string, number | string> {
  const figures: [string, number | undefined, number][] = [
    ["totalMs", final.total_duration, 1e6],
    ["loadMs", final.load_duration, 1e6],
    ["prefillMs", final.prompt_eval_duration, 1e6],
    ["decodeMs", final.eval_duration, 1e6],
    ["inputTokens", final.prompt_eval_count, 1],
    ["outputTokens", final.eval_count, 1],
  ];
  const stated = figures.flatMap(([name, value, unit]) =>
    value === undefined || value < 0 ? [] : [[name, value / unit] as const],
  );
  return { ...Object.fromEntries(stated), provenance: "measured", doneReason: final.done_reason ?? "" };
}

function compatible(usage: Counts | undefined): Record<string, number | string> {
  return {
    inputTokens: usage?.prompt_tokens ?? usage?.input_tokens ?? Number.NaN,
    outputTokens: usage?.completion_tokens ?? usage?.output_tokens ?? Number.NaN,
    provenance: "measured",
  };
}

function estimate(outputTokens: number): Record<string, number | string> | undefined {
  return outputTokens === 0 ? undefined : { outputTokens, provenance: "derived" };
}
