import type { Exchange } from "../types.ts";
import type { KnownTurn } from "./knownTurns.ts";
import type { RequestChain } from "./requestChain.ts";
import { TELLING_LENGTH } from "./turnBefore.ts";

/** Whoever is not pleased with an answer says so soon. */
const SECOND_THOUGHT_MS = 10 * 60_000;

/**
 * A first message that was sent before: is it the same chat, whose answer was wanted again, or another chat that begins
 * alike? The wire is the same, so what people do decides: two chats begin with "hi", but hardly with the same long
 * sentence within minutes, the first of them never gone on with. Chats that overlap are two.
 */
export function isRepeated(exchange: Exchange, chain: RequestChain, earlier: KnownTurn): boolean {
  const last = chain.users.at(-1);
  const isSame = last?.media === earlier.media && chain.system === earlier.system && earlier.childCount === 0;
  if (!isSame) {
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
      const isTelling = chain.users.length > 1 || (last?.length ?? 0) >= TELLING_LENGTH;
      return isTelling && exchange.startedAt - (earlier.endedAt ?? earlier.startedAt) <= SECOND_THOUGHT_MS;
    }
  }
}
