/** What one exchange teaches: how long the model's prompts take, how its text counts, what was cached of this one. */
import { isLoadDuration } from "../predict/coldLoad.ts";
import { decodeRateOf } from "../predict/guessScore.ts";
import type { Usage } from "../types.ts";
import { addRate, addTurn, endTurn } from "./chatState.ts";
import type { LearnedFigures } from "./learnedByModel.ts";
import { cachedTokens } from "./occupancy.ts";
import { heldTokens, prefillMsOf, type EndedTurn, type MsOf } from "./openTurn.ts";
import { unnamedMs } from "./queue.ts";

/** A prompt that goes on from none is only told from its time once this many others were timed. */
const FEW_PROMPTS = 3;
const FEWEST_TOKENS = 8;
const MOST_SLOWNESS = 4;

/** Puts `cachedInputTokens` on the exchange. Answers false when there was nothing to learn from. */
export function learnTurn(entry: EndedTurn, learned: LearnedFigures, msOf: MsOf): boolean {
  const { exchange, chat, turn, before, alone } = entry;
  const { usage } = exchange;
  const { inputTokens } = turn;
  if (exchange.status !== 200 || usage?.provenance !== "measured" || inputTokens === undefined) {
    return false;
  }
  const cold = isLoadDuration(usage.loadMs, learned.warmLoadMs.median());
  const lost = turn.sentTokens !== inputTokens;
  const held = lost || cold ? 0 : Math.min(inputTokens - 1, heldTokens(before));
  // The slot still holds this chat's turn before, whatever the clock says on a busy machine.
  const surelyHeld = held > 0 && learned.latestConversation === chat?.id;
  const prefillMs = prefillMsOf(exchange, alone);
  if (prefillMs !== undefined && prefillMs > 0) {
    const known = before !== undefined || learned.prefill.prompts() >= FEW_PROMPTS;
    const undisturbedMs = prefillMs / slowness(usage, learned);
    const cached = cold
      ? 0
      : known
        ? cachedTokens({ inputTokens, prefillMs: undisturbedMs, heldTokens: held, surelyHeld, msOf })
        : undefined;
    if (cached !== undefined) {
      // Without its oldest messages a prompt shares no more than the system's with what was there before.
      usage.cachedInputTokens = lost ? Math.min(cached, chat?.systemTokens ?? 0) : cached;
    }
    if (alone) {
      const certainty = cold || cached === held ? "sure" : before === undefined ? "unsure" : "likely";
      learned.prefill.learn(
        { uncachedTokens: inputTokens - held, cachedTokens: held, ms: prefillMs },
        certainty,
      );
    }
  }
  if (alone && !lost) {
    learned.restMs.add(unnamedMs(usage));
  }
  if (!cold) {
    learned.warmLoadMs.add(usage.loadMs);
  }
  learned.outputTokens.add(usage.outputTokens);
  learned.tokenMs.add(tokenMsOf(usage));
  if (chat !== undefined) {
    if (!lost) {
      chat.sent.learn(turn.prompt, inputTokens, before);
    }
    addTurn(chat, turn);
    const tokensPerSecond = decodeRateOf(usage);
    if (tokensPerSecond !== undefined) {
      addRate(chat, inputTokens + (usage.outputTokens ?? 0) / 2, tokensPerSecond);
    }
    if (chat.latest !== turn) {
      endTurn(chat, turn, before);
    }
  }
  return true;
}

/** How many times slower than usual the machine was meanwhile, by the answer that came with it. */
function slowness(usage: Usage, learned: LearnedFigures): number {
  const ratio = (tokenMsOf(usage) ?? 1) / (learned.tokenMs.median() ?? Infinity);
  return Math.min(MOST_SLOWNESS, Math.max(1, ratio));
}

/** Undefined for answers too short to tell. */
function tokenMsOf({ decodeMs, outputTokens = 0 }: Usage): number | undefined {
  return decodeMs === undefined || outputTokens < FEWEST_TOKENS ? undefined : decodeMs / (outputTokens - 1);
}
