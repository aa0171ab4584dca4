/** A followed chat as others see it: how full it is, and how much is left. */
import type { RunnerGrowth } from "../predict/growth.ts";
import type { ChatModel, Conversation, Predicted } from "../types.ts";
import { conversationOf, stepsOf, type ChatState } from "./chatState.ts";
import { cliffAhead } from "./cliff.ts";
import { turnsLeft } from "./left.ts";
import { costOf } from "./learnedByModel.ts";
import { occupiedBytes } from "./occupancy.ts";

/**
 * `growth`: of the runner that serves it; `headroomBytes`: of the machine now. What depends on one that is absent is
 * left out.
 */
export function tellChat(
  chat: ChatState,
  now: { model: ChatModel; growth?: RunnerGrowth; headroomBytes?: number },
): Conversation {
  const { model, growth, headroomBytes } = now;
  const cost = costOf(model);
  const used = chat.contextTokensUsed;
  const occupancy =
    model.estimate === undefined || cost === undefined || used === undefined
      ? {}
      : occupiedBytes(used, { estimate: model.estimate, cost, slots: model.slots });
  const after = chat.cliff?.bytesPerTurn ?? chat.said?.bytesPerTurn;
  // What stands by itself, such as a generate or a title, has no next turn.
  const left =
    chat.purpose !== "chat"
      ? {}
      : turnsLeft({
          window: windowTurns(chat),
          headroomBytes,
          bytesPerTurn: growth?.quietBytes(),
          bytesPerTurnAfter: after?.actual ?? after?.predicted,
          promptCacheLeftBytes: growth?.promptCacheLeftBytes(),
        });
  return conversationOf(chat, { ...occupancy, ...left });
}

/** Turns after the latest whose prompts still fit. */
function windowTurns(chat: ChatState): Predicted | undefined {
  const { latest, contextLength, overAtTurn } = chat;
  if (overAtTurn !== undefined) {
    return { predicted: 0, low: 0, high: 0 };
  }
  if (latest?.sentTokens === undefined || contextLength === undefined) {
    return undefined;
  }
  const { sentTokens } = latest;
  const ahead = cliffAhead({ turn: 0, sentTokens, contextLength, steps: stepsOf(chat), oldest: [] });
  if (ahead === undefined) {
    return undefined;
  }
  const { predicted, low = predicted, high = predicted } = ahead.atTurn;
  const before = (turn: number): number => Math.max(0, turn - 1);
  return { predicted: before(predicted), low: before(low), high: before(high) };
}
