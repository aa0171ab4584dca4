/** The cliff of one chat: said while it is ahead, recognised when it has come, and compared with what was said. */
import { CHECKPOINTS_OF_A_WHOLE_PROMPT, entryBytes, type StateCost } from "../predict/promptCache.ts";
import type { Cliff, Exchange, ExchangePrediction, Notice, Predicted } from "../types.ts";
import { cliffAhead, scored, type CliffAhead } from "./cliff.ts";
import { stepsOf, type ChatState, type SaidOfCliff } from "./chatState.ts";
import { cliffNotice, type Cure } from "./notices.ts";

/** Of one turn beyond the cliff, whose whole window is computed again. */
export interface CliffCosts {
  /** Undefined while the model's speed is not known. */
  prefillMs(work: { uncachedTokens: number; cachedTokens: number }): number | undefined;
  /** What the first byte waits for beside the prompt; undefined where dropping messages takes time of its own (before v0.30). */
  restMs?: number;
  /** Absent where the runner keeps no copies of prompts. */
  cost?: StateCost;
  outputTokens: number;
  /** Layers that look back over a window only cannot go back to the end of the system's message. */
  slides: boolean;
}

/** Turns ahead from which on it is said; after a first turn alone, which may be like no other, only what is near. */
const HORIZON_TURNS = 5;
/** Said later than this it is no warning. */
const WARNING_TURNS = 2;
/** Times of one prompt differ by so much from run to run. */
const TIME_BAND = 0.25;
const BYTES_BAND = 0.15;

/** Where it will be, from the turn that is now: `sentTokens` is its prompt. */
export function cliffOf(
  chat: ChatState,
  now: { turn: number; sentTokens: number; contextLength: number },
  costs: CliffCosts,
): { ahead: CliffAhead; said: SaidOfCliff } | undefined {
  const ahead = cliffAhead({ ...now, steps: stepsOf(chat), oldest: chat.oldest });
  return ahead === undefined ? undefined : { ahead, said: sayCliff(chat, ahead, costs) };
}

function sayCliff(chat: ChatState, ahead: CliffAhead, costs: CliffCosts): SaidOfCliff {
  const cachedTokens = costs.slides ? 0 : Math.min(chat.systemTokens, ahead.inputTokens - 1);
  const prefill = costs.prefillMs({ uncachedTokens: ahead.inputTokens - cachedTokens, cachedTokens });
  const prefillMs = prefill === undefined ? undefined : around(prefill, TIME_BAND);
  const firstToken = prefill === undefined || costs.restMs === undefined ? undefined : prefill + costs.restMs;
  const bytes =
    costs.cost === undefined
      ? undefined
      : entryBytes(costs.cost, ahead.inputTokens + costs.outputTokens, CHECKPOINTS_OF_A_WHOLE_PROMPT);
  return {
    atTurn: ahead.atTurn,
    ...(prefillMs !== undefined && { prefillMs }),
    ...(firstToken !== undefined && { firstTokenMs: around(firstToken, TIME_BAND) }),
    ...(bytes !== undefined && bytes > 0 && { bytesPerTurn: around(bytes, BYTES_BAND) }),
  };
}

/** Remembers what was said in time; answers with the notice while it is near. */
export function announce(
  chat: ChatState,
  { ahead, said }: { ahead: CliffAhead; said: SaidOfCliff },
  cure: () => Cure,
): Notice | undefined {
  if (ahead.turnsAhead >= WARNING_TURNS || chat.said === undefined) {
    chat.said = said;
  }
  const horizon = chat.steps.length === 0 ? WARNING_TURNS : HORIZON_TURNS;
  if (ahead.turnsAhead > horizon) {
    chat.cliff = undefined;
    return undefined;
  }
  const { remedies, ...window } = cure();
  chat.cliff = { state: "ahead", ...said, remedies };
  return cliffNotice(
    "cliff-ahead",
    {
      atTurn: ahead.atTurn.predicted,
      turnsAhead: ahead.turnsAhead,
      ms: said.prefillMs?.predicted,
      bytes: said.bytesPerTurn?.predicted,
    },
    { ...window, remedies },
  );
}

/** The first turn whose prompt did not fit. `said` is what was said of it beforehand, if anything. */
export function wentOver(
  chat: ChatState,
  turn: { turn: number; exchange: Exchange; bytes?: number },
  cure: Cure,
): { notice: Notice; scored: Pick<ExchangePrediction, "cliffTurn" | "cliffPrefillMs"> } {
  const { said } = chat;
  const { usage } = turn.exchange;
  chat.overAtTurn = turn.turn;
  const firstTokenMs =
    usage?.totalMs === undefined || usage.decodeMs === undefined ? undefined : usage.totalMs - usage.decodeMs;
  const atTurn = scored(said?.atTurn ?? { predicted: turn.turn }, turn.turn);
  const prefillMs = said?.prefillMs === undefined ? undefined : scored(said.prefillMs, usage?.prefillMs);
  chat.cliff = {
    state: "reached",
    atTurn,
    ...(prefillMs !== undefined && { prefillMs }),
    ...(said?.firstTokenMs !== undefined && { firstTokenMs: scored(said.firstTokenMs, firstTokenMs) }),
    ...(said?.bytesPerTurn !== undefined && { bytesPerTurn: said.bytesPerTurn }),
    remedies: cure.remedies,
  };
  const notice = cliffNotice(
    "cliff",
    {
      atTurn: turn.turn,
      ms: usage?.prefillMs ?? said?.prefillMs?.predicted,
      bytes: turn.bytes ?? said?.bytesPerTurn?.predicted,
    },
    cure,
  );
  return {
    notice,
    scored:
      said === undefined
        ? {}
        : { cliffTurn: atTurn, ...(prefillMs !== undefined && { cliffPrefillMs: prefillMs }) },
  };
}

/** A larger window, or a history its client has shortened: all of it fits again, and another cliff may lie ahead. */
export function cameBack(chat: ChatState): void {
  chat.overAtTurn = undefined;
  chat.cliff = undefined;
  chat.said = undefined;
  chat.growthAfterBytes = [];
}

/** A turn after the cliff has left its copy: what each of them adds, measured. Undefined until there is one. */
export function grewAfter(
  chat: ChatState,
  grownBytes: number,
  middle: (values: number[]) => number | undefined,
) {
  chat.growthAfterBytes = [...chat.growthAfterBytes, grownBytes].slice(-9);
  const actual = middle(chat.growthAfterBytes);
  const said: Cliff["bytesPerTurn"] = chat.cliff?.bytesPerTurn;
  if (chat.cliff === undefined || said === undefined || actual === undefined) {
    return undefined;
  }
  const bytesPerTurn = scored(said, actual);
  chat.cliff = { ...chat.cliff, bytesPerTurn };
  return bytesPerTurn;
}

function around(predicted: number, band: number): Predicted {
  return { predicted, low: predicted / (1 + band), high: predicted * (1 + band) };
}
