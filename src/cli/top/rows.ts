/** The lines of what runs, what is chatted, and what was predicted and came. Pure. */
import type { Conversation, Exchange } from "../../types.ts";
import { cell, nameCell, type Paint } from "./cells.ts";
import { spark } from "./memoryBar.ts";
import type { TopState } from "./state.ts";
import {
  bytes,
  count,
  decodeRate,
  duration,
  elapsed,
  error,
  rate,
  stageOf,
  time,
  turns,
  turnsLeft,
  SERIOUS,
} from "./words.ts";

export interface Look {
  width: number;
  paint: Paint;
  /** The server's time. */
  now: number;
}

/** One line an exchange in progress: how far it is, how long that should take. */
export function liveLine(exchange: Exchange, state: TopState, { width, paint, now }: Look): string {
  const stage = stageOf(exchange);
  const wide = width >= 100;
  const rest = width - 24 - 11 - 15 - 4 - (wide ? 20 : 0);
  const model = Math.max(10, Math.floor(rest * 0.6));
  const expected = exchange.prediction;
  const since = now - exchange.startedAt;
  const prefill = expected?.prefillMs && ` of ${elapsed(expected.prefillMs.predicted)} ◇`;
  const doing = `${stage ?? exchange.operation} ${elapsed(since)}${(stage === "prefill" && prefill) || ""}`;
  const length =
    exchange.contextLength ?? state.models.find(({ name }) => name === exchange.model)?.contextLength;
  const input = expected?.inputTokens?.predicted;
  const used =
    exchange.contextTokensUsed ??
    (input === undefined ? undefined : input + (exchange.contentChunkCount ?? 0));
  return [
    paint("bold", nameCell(exchange.model ?? exchange.path, model)),
    paint("dim", nameCell(clientOf(exchange), rest - model)),
    paint("accent", cell(doing, 24)),
    cell(`${liveRate(exchange, now)} tok/s`, 11, "right"),
    wide
      ? paint("dim", cell(`expected ${rate(expected?.decodeTokensPerSecond?.predicted)} ◇`, 19, "right"))
      : "",
    cell(length === undefined ? "" : `${count(used)}/${count(length)}`, 15, "right"),
  ]
    .filter(Boolean)
    .join(" ");
}

/** Tokens since the first one; until a second has passed it says more about buffering than about speed. */
function liveRate({ state, contentChunkCount }: Exchange, now: number): string {
  if (state.phase !== "streaming" || contentChunkCount === undefined) {
    return "–";
  }
  const passedMs = now - state.firstTokenAt;
  return rate(passedMs < 1000 ? undefined : ((contentChunkCount - 1) / passedMs) * 1000);
}

/** One line a chat: how full, how it got there, when it ends. */
export function chatLine(
  conversation: Conversation,
  ended: readonly Exchange[],
  { width, paint }: Look,
): string {
  const { contextLength, contextTokensUsed, cliff } = conversation;
  const own = (conversation.turns ?? ended.filter(({ conversationId }) => conversationId === conversation.id))
    .toSorted((a, b) => a.startedAt - b.startedAt)
    .map((turn) => turn.contextTokensUsed);
  const wide = width >= 110;
  const cliffWidth = wide ? 29 : 15;
  const rest = width - 8 - 15 - 18 - cliffWidth - 5;
  const sparkWidth = Math.min(40, Math.max(8, Math.floor(rest * 0.45)));
  const top = contextLength ?? Math.max(1, ...own.map((used) => used ?? 0));
  const left = turnsLeft(conversation);
  const context = `${count(contextTokensUsed)}${contextLength === undefined ? "" : `/${count(contextLength)}`}`;
  return [
    paint("bold", nameCell(conversation.client ?? "unknown client", rest - sparkWidth)),
    cell(turns(conversation.turnCount), 8, "right"),
    paint("kv", cell(spark(own, top, sparkWidth), sparkWidth)),
    cell(context, 15, "right"),
    cell(left === undefined ? "" : `${left} ◇`, 18, "right"),
    paint(cliff?.state === "reached" ? "bad" : "warn", cell(cliffWords(conversation, wide), cliffWidth)),
  ].join(" ");
}

function cliffWords({ cliff }: Conversation, wide: boolean): string {
  if (cliff === undefined) {
    return "";
  }
  const turn = count(cliff.atTurn.actual ?? cliff.atTurn.predicted);
  if (cliff.state === "reached") {
    return wide ? `over the cliff since turn ${turn}` : "over the cliff";
  }
  return wide ? `cliff ahead at turn ${turn}` : `cliff turn ${turn}`;
}

/** The heading of {@link endedLine}. */
export function endedHeading(look: Look): string {
  const { paint } = look;
  const columns = endedColumns(look);
  const group = (title: string): string => cell(`${title} ◇ → ●`, columns.compared, "right");
  return paint(
    "dim",
    [
      cell("Time", 8),
      cell("Model", columns.model),
      cell("Outcome", columns.outcome),
      group("Context"),
      columns.wide ? group("First token") : "",
      group("tok/s"),
      columns.wide ? group("Memory") : "",
    ]
      .filter(Boolean)
      .join(" "),
  );
}

/** One line an exchange that ended: predicted, actual, error. */
export function endedLine(exchange: Exchange, look: Look): string {
  const { paint } = look;
  const { model, outcome, compared, wide } = endedColumns(look);
  const { prediction = {}, notices, state } = exchange;
  const serious = notices.map(({ kind }) => SERIOUS[kind]).find((words) => words !== undefined);
  const pair = (
    predicted: { predicted: number; actual?: number; errorRatio?: number } | undefined,
    actual: number | undefined,
    words: (value: number | undefined) => string,
  ): string => {
    const came = predicted?.actual ?? actual;
    const ratio =
      predicted?.errorRatio ?? (predicted && came ? (predicted.predicted - came) / came : undefined);
    if (predicted === undefined && came === undefined) {
      return cell("", compared);
    }
    const text = predicted === undefined ? words(came) : `${words(predicted.predicted)} → ${words(came)}`;
    return cell(ratio === undefined ? text : `${text} ${error(ratio).padStart(7)}`, compared, "right");
  };
  const style = state.phase === "failed" ? "bad" : serious === undefined ? undefined : "warn";
  return [
    paint("dim", cell(time(exchange.startedAt), 8)),
    nameCell(exchange.model ?? exchange.path, model),
    paint(style, cell(serious ?? state.phase, outcome)),
    pair(prediction.contextTokensUsed, exchange.contextTokensUsed, count),
    wide ? pair(prediction.firstTokenMs, firstTokenMs(exchange), duration) : "",
    pair(prediction.decodeTokensPerSecond, decodeRate(exchange), rate),
    wide ? pair(prediction.runnerBytes, undefined, bytes) : "",
  ]
    .filter(Boolean)
    .join(" ");
}

function endedColumns({ width }: Look) {
  const wide = width >= 140;
  const compared = 23;
  const outcome = width >= 100 ? 16 : 10;
  return { wide, compared, outcome, model: width - 8 - outcome - compared * (wide ? 4 : 2) - (wide ? 6 : 4) };
}

function firstTokenMs({ state, startedAt }: Exchange): number | undefined {
  return "firstTokenAt" in state && state.firstTokenAt !== undefined
    ? Math.max(0, state.firstTokenAt - startedAt)
    : undefined;
}

function clientOf({ client }: Exchange): string {
  return client.name ?? client.userAgent ?? client.address ?? "unknown client";
}
