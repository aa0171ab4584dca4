import type { Exchange, ExchangePrediction, ExchangeState, Notice, Purpose, Stage, Usage } from "../types.ts";
import type { Row } from "./columns.ts";
import { integer, json, parsed, present, real, text } from "./columns.ts";

/** A row of `exchanges` as SQLite answers it. */
export interface ExchangeRow {
  seq: number;
  id: string;
  started_at: number;
  ended_at: number | null;
  operation: Exchange["operation"];
  dialect: Exchange["dialect"];
  method: string;
  path: string;
  model: string | null;
  client_name: string | null;
  user_agent: string | null;
  client_address: string | null;
  conversation_id: string | null;
  turn: number | null;
  purpose: Purpose | null;
  branch_of: string | null;
  stream: number | null;
  status: number | null;
  requested_context_length: number | null;
  context_length: number | null;
  context_tokens_used: number | null;
  request_bytes: number;
  response_bytes: number;
  chunk_count: number;
  content_chunk_count: number | null;
  phase: ExchangeState["phase"];
  stage: Stage | null;
  error_code: string | null;
  error_message: string | null;
  first_token_at: number | null;
  input_tokens: number | null;
  cached_input_tokens: number | null;
  output_tokens: number | null;
  total_ms: number | null;
  queue_ms: number | null;
  load_ms: number | null;
  prefill_ms: number | null;
  decode_ms: number | null;
  done_reason: string | null;
  usage_provenance: Usage["provenance"] | null;
  notices: string | null;
  prediction: string | null;
}

/** An exchange as columns of `exchanges`, all but `seq`. */
export function exchangeToRow(exchange: Exchange): Row {
  return {
    id: exchange.id,
    started_at: integer(exchange.startedAt),
    operation: exchange.operation,
    dialect: exchange.dialect,
    method: text(exchange.method),
    path: text(exchange.path),
    model: text(exchange.model),
    client_name: text(exchange.client.name),
    user_agent: text(exchange.client.userAgent),
    client_address: text(exchange.client.address),
    conversation_id: exchange.conversationId,
    turn: integer(exchange.turn),
    purpose: exchange.purpose,
    branch_of: exchange.branchOf,
    stream: exchange.stream === undefined ? undefined : Number(exchange.stream),
    status: integer(exchange.status),
    requested_context_length: integer(exchange.requestedContextLength),
    context_length: integer(exchange.contextLength),
    context_tokens_used: integer(exchange.contextTokensUsed),
    request_bytes: integer(exchange.requestBytes),
    response_bytes: integer(exchange.responseBytes),
    chunk_count: integer(exchange.chunkCount),
    content_chunk_count: integer(exchange.contentChunkCount),
    ...stateColumns(exchange.state),
    ...usageColumns(exchange.usage),
    notices: json(exchange.notices),
    prediction: json(exchange.prediction),
  };
}

function stateColumns(state: ExchangeState): Row {
  return {
    phase: state.phase,
    stage: "stage" in state ? state.stage : undefined,
    ended_at: "endedAt" in state ? integer(state.endedAt) : undefined,
    first_token_at: "firstTokenAt" in state ? integer(state.firstTokenAt) : undefined,
    error_code: "error" in state ? text(state.error.code) : undefined,
    error_message: "error" in state ? text(state.error.message) : undefined,
  };
}

function usageColumns(usage: Usage | undefined): Row {
  return {
    input_tokens: integer(usage?.inputTokens),
    cached_input_tokens: integer(usage?.cachedInputTokens),
    output_tokens: integer(usage?.outputTokens),
    total_ms: real(usage?.totalMs),
    queue_ms: real(usage?.queueMs),
    load_ms: real(usage?.loadMs),
    prefill_ms: real(usage?.prefillMs),
    decode_ms: real(usage?.decodeMs),
    done_reason: text(usage?.doneReason),
    usage_provenance: usage?.provenance,
  };
}

/** The exchange that {@link exchangeToRow} wrote; absent fields are absent again. */
export function exchangeFromRow(row: ExchangeRow): Exchange {
  return {
    id: row.id,
    startedAt: row.started_at,
    operation: row.operation,
    dialect: row.dialect,
    method: row.method,
    path: row.path,
    client: present({ name: row.client_name, userAgent: row.user_agent, address: row.client_address }),
    requestBytes: row.request_bytes,
    responseBytes: row.response_bytes,
    chunkCount: row.chunk_count,
    state: stateFromRow(row),
    notices: parsed<Notice[]>(row.notices) ?? [],
    ...present({
      model: row.model,
      conversationId: row.conversation_id,
      turn: row.turn,
      purpose: row.purpose,
      branchOf: row.branch_of,
      stream: row.stream === null ? undefined : row.stream === 1,
      status: row.status,
      requestedContextLength: row.requested_context_length,
      contextLength: row.context_length,
      contextTokensUsed: row.context_tokens_used,
      contentChunkCount: row.content_chunk_count,
      usage: usageFromRow(row),
      prediction: parsed<ExchangePrediction>(row.prediction),
    }),
  };
}

function stateFromRow(row: ExchangeRow): ExchangeState {
  const { phase } = row;
  const stage = present({ stage: row.stage });
  const firstToken = present({ firstTokenAt: row.first_token_at });
  const endedAt = row.ended_at ?? row.started_at;
  switch (phase) {
    case "waiting":
      return { phase, ...stage };
    case "streaming":
      return { phase, ...stage, firstTokenAt: row.first_token_at ?? row.started_at };
    case "completed":
    case "cancelled":
      return { phase, endedAt, ...firstToken };
    case "failed":
      return {
        phase,
        endedAt,
        ...firstToken,
        error: { code: row.error_code ?? "unknown", message: row.error_message ?? "No reason was recorded." },
      };
  }
}

function usageFromRow(row: ExchangeRow): Usage | undefined {
  if (row.usage_provenance === null) return undefined;
  return {
    provenance: row.usage_provenance,
    ...present({
      inputTokens: row.input_tokens,
      cachedInputTokens: row.cached_input_tokens,
      outputTokens: row.output_tokens,
      totalMs: row.total_ms,
      queueMs: row.queue_ms,
      loadMs: row.load_ms,
      prefillMs: row.prefill_ms,
      decodeMs: row.decode_ms,
      doneReason: row.done_reason,
    }),
  };
}
