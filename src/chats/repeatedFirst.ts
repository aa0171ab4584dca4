import type { Exchange } from "../types.ts";
import type { KnownTurn } from "./knownTurns.ts";
import type { RequestChain } from "./requestChain.ts";
import { TELLING_LENGTH } from "./turnBefore.ts";

/** Whoever is not pleased with an answer says so soon. */
const SECOND_THOUGHT_MS = 5 * 60_000;
/** Instructions that hold the time of day keep their length, almost. */
const CLOCK_LENGTH = 8;

/**
 * A first message that was sent before: is it the same chat, whose answer was wanted again, or another chat that begins
 * alike? The wire is the same, so what people do decides: two chats begin with "hi", but hardly with the same long
 * sentence within minutes, the first of them never gone on with. Chats that overlap are two, and so are those that
 * begin with what others have begun with before (`isCommon`): pages offer first sentences.
 */
export function isRepeated(
  exchange: Exchange,
  { chain, earlier, isCommon }: { chain: RequestChain; earlier: KnownTurn; isCommon: boolean },
): boolean {
  const last = chain.users.at(-1);
  const isSame = last?.media === earlier.media && hasSameInstructions(chain, earlier);
  if (!isSame || earlier.childCount > 0) {
    return false;
  }
  if (exchange.notices.some((notice) => notice.kind === "retried")) {
    return true;
  }
  switch (earlier.state) {
    case "open":
      return false;
    case "cancelled":
    case "failed":
      return true;
    case "completed": {
      const isTelling = !isCommon && (chain.users.length > 1 || (last?.length ?? 0) >= TELLING_LENGTH);
      return isTelling && exchange.startedAt - (earlier.endedAt ?? earlier.startedAt) <= SECOND_THOUGHT_MS;
    }
  }
}

function hasSameInstructions(chain: RequestChain, { system, systemLength }: KnownTurn): boolean {
  return (
    chain.system === system ||
    (chain.system !== undefined &&
      system !== undefined &&
      Math.abs(chain.systemLength - systemLength) <= CLOCK_LENGTH)
  );
}
