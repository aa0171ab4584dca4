/** Chats that do not fit any more, or soon will not. */
import { bytesText, durationText, nameText } from "../predict/figureText.ts";
import type { Conversation } from "../types.ts";
import { weigh, type AdviceFacts, type Weighed } from "./facts.ts";

/** A chat that rests for longer is done. */
const RECENT_MS = 6 * 3_600_000;
const TURNS_AHEAD = 3;
/** So many more turns of it are spared. */
const TURNS_SPARED = 5;

/** `planned`: models that are advised another context already; a chat's own figure beside it would contradict. */
export function chatAdvice(facts: AdviceFacts, planned: ReadonlySet<string>): Weighed[] {
  return facts.conversations.flatMap((chat) => {
    const { cliff } = chat;
    if (cliff === undefined || facts.now - chat.lastAt > RECENT_MS) {
      return [];
    }
    const turns = cliff.atTurn.predicted - chat.turnCount;
    return cliff.state === "reached" || turns <= TURNS_AHEAD
      ? [adviceFor(facts, { chat, cliff, planned })]
      : [];
  });
}

function adviceFor(
  { remedies, canonicalName }: AdviceFacts,
  about: { chat: Conversation; cliff: NonNullable<Conversation["cliff"]>; planned: ReadonlySet<string> },
): Weighed {
  const { chat, cliff, planned } = about;
  const turn = Math.round(cliff.atTurn.predicted);
  const waitMs = cliff.firstTokenMs?.predicted ?? cliff.prefillMs?.predicted;
  const bytesPerTurn = cliff.bytesPerTurn?.predicted ?? 0;
  const costs = [
    ...(waitMs === undefined ? [] : [`waits about ${durationText(waitMs)}`]),
    ...(bytesPerTurn > 0 ? [`adds ${bytesText(bytesPerTurn)} to memory`] : []),
  ].join(" and ");
  const who = `${chat.client === undefined ? "A chat" : `A chat of ${nameText(chat.client)}`}${chat.model === undefined ? "" : ` with ${nameText(chat.model)}`}`;
  const when =
    cliff.state === "reached"
      ? `no longer fits its context since turn ${turn}`
      : `will not fit its context from turn ${turn} on; it is at turn ${chat.turnCount}`;
  const fresh = remedies.freshChat({ turn, waitMs, bytesPerTurn });
  const isPlanned = chat.model !== undefined && planned.has(canonicalName(chat.model));
  const others = cliff.remedies.filter(
    ({ id }) => id !== fresh.id && !(isPlanned && /(?:^|-)context:/.test(id)),
  );
  return weigh({
    id: `fresh-chat:${chat.id}`,
    kind: "fresh-chat",
    text: `${who} ${when}${costs === "" ? "" : `: each turn then ${costs}`}. Start a fresh chat`,
    ...(chat.model !== undefined && { model: chat.model }),
    conversationId: chat.id,
    ...(chat.client !== undefined && { clients: [chat.client] }),
    ...(waitMs !== undefined && { savesMs: Math.round(waitMs * TURNS_SPARED) }),
    ...(bytesPerTurn > 0 && { savesBytes: Math.round(bytesPerTurn * TURNS_SPARED) }),
    remedies: [fresh, ...others],
  });
}
