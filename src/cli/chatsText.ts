/** What `plimsoll chats` prints. Pure. */
import type { Advice, Conversation, Exchange, Notice } from "../types.ts";
import { cell, nameCell } from "./top/cells.ts";
import { bytes, count, decodeRate, duration, rate, time, turns, turnsLeft } from "./top/words.ts";

/** One line a chat. */
export function chatsText(conversations: readonly Conversation[], now: number): string {
  if (conversations.length === 0) {
    return "No chat has come through Plimsoll yet.\n";
  }
  const head = [
    cell("ID", 22),
    cell("Latest", 16),
    cell("Client", 16),
    cell("Model", 24),
    cell("Turns", 6, "right"),
    cell("Context", 17, "right"),
    cell("Left", 22, "right"),
    "Notices",
  ];
  const lines = conversations.map((conversation) => [
    cell(conversation.id, 22),
    cell(moment(conversation.lastAt, now), 16),
    nameCell(conversation.client, 16),
    nameCell(conversation.model, 24),
    cell(count(conversation.turnCount), 6, "right"),
    cell(context(conversation), 17, "right"),
    cell(turnsLeft(conversation) ?? "", 22, "right"),
    kinds(conversation.notices),
  ]);
  return table([head, ...lines]);
}

/** What is worth doing, a line each; nothing when nothing is. */
export function adviceText(advice: readonly Advice[]): string {
  return advice.length === 0
    ? ""
    : `\nAdvice (with what to paste: /plimsoll/api/advice)\n${advice.map(({ text }) => `  ${text}.\n`).join("")}`;
}

/** One chat, and a line a turn. */
export function chatText(conversation: Conversation, now: number): string {
  const { turnCount, branchCount = 0, occupiedBytes, allocatedBytes, tokensPerTurn, cliff } = conversation;
  const facts = [
    `${conversation.client ?? "unnamed"} with ${conversation.model ?? "an unknown model"}, since ${moment(conversation.startedAt, now)}`,
    `${turns(turnCount)}${branchCount === 0 ? "" : `, ${count(branchCount)} edited or regenerated`}`,
    `context ${context(conversation)}`,
    occupiedBytes === undefined
      ? undefined
      : `${bytes(occupiedBytes)}${allocatedBytes === undefined ? "" : ` of ${bytes(allocatedBytes)}`} occupied`,
    tokensPerTurn === undefined ? undefined : `about ${count(tokensPerTurn.predicted)} tokens a turn`,
    turnsLeft(conversation),
    cliff === undefined
      ? undefined
      : cliff.state === "reached"
        ? `over the cliff since turn ${count(cliff.atTurn.actual ?? cliff.atTurn.predicted)}`
        : `cliff at turn ${count(cliff.atTurn.predicted)}`,
  ];
  const head = [
    cell("Turn", 5, "right"),
    cell("At", 16),
    cell("Outcome", 10),
    cell("Input", 9, "right"),
    cell("Output", 9, "right"),
    cell("Context", 17, "right"),
    cell("First token", 12, "right"),
    cell("tok/s", 7, "right"),
    "Notices",
  ];
  const lines = (conversation.turns ?? []).map((turn) => [
    cell(`${turn.branchOf === undefined ? "" : "↳"}${count(turn.turn)}`, 5, "right"),
    cell(moment(turn.startedAt, now), 16),
    cell(turn.state.phase, 10),
    cell(count(turn.usage?.inputTokens), 9, "right"),
    cell(count(turn.usage?.outputTokens), 9, "right"),
    cell(context(turn), 17, "right"),
    cell(duration(firstTokenMs(turn)), 12, "right"),
    cell(rate(decodeRate(turn)), 7, "right"),
    kinds(turn.notices),
  ]);
  const notices = conversation.notices.flatMap(({ kind, message, remedies }) => [
    `${kind}: ${message ?? ""}`.trim(),
    ...(remedies ?? []).map(({ text }) => `  ${text}`),
  ]);
  return `${facts.filter((fact) => fact !== undefined).join(" · ")}\n\n${table([head, ...lines])}${notices.length === 0 ? "" : `\n${notices.join("\n")}\n`}`;
}

function table(rows: readonly (readonly string[])[]): string {
  return `${rows.map((cells) => cells.join("  ").trimEnd()).join("\n")}\n`;
}

function context({
  contextTokensUsed,
  contextLength,
}: Pick<Exchange, "contextTokensUsed" | "contextLength">): string {
  return contextLength === undefined
    ? count(contextTokensUsed)
    : `${count(contextTokensUsed)} / ${count(contextLength)}`;
}

function kinds(notices: readonly Notice[]): string {
  return [...new Set(notices.map(({ kind }) => kind))].join(" ");
}

function firstTokenMs({ state, startedAt }: Exchange): number | undefined {
  return "firstTokenAt" in state && state.firstTokenAt !== undefined
    ? state.firstTokenAt - startedAt
    : undefined;
}

/** The time of today, or the day. */
function moment(at: number, now: number): string {
  const day = (epochMs: number): string => new Date(epochMs).toLocaleDateString("sv");
  return day(at) === day(now) ? time(at) : `${day(at)} ${time(at).slice(0, 5)}`;
}
