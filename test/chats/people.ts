/** Requests as clients make them, reduced to what identification is given. */
import { hash } from "node:crypto";
import type { Exchange, MessageClue, Purpose, RequestFacts } from "../../src/types.ts";

/** `role: text`, for example `["user", "hello"]`. */
export type Said = readonly [role: MessageClue["role"], text: string];

function clueOf([role, text]: Said): MessageClue {
  return text === "" ? { role, length: 0 } : { role, length: text.length, hash: printOf(text) };
}

/** Stands for the salted hash of a text. */
export function printOf(text: string): string {
  return hash("sha256", text, "base64url").slice(0, 16);
}

let exchangeCount = 0;

export interface Asked {
  messages?: readonly Said[];
  at?: number;
  userAgent?: string;
  address?: string;
  purpose?: Purpose;
  more?: RequestFacts["conversation"];
  operation?: Exchange["operation"];
}

export function asked({
  messages,
  at = 0,
  userAgent = "test/1",
  address = "127.0.0.1",
  purpose,
  more,
  operation = "chat",
}: Asked): { exchange: Exchange; facts: RequestFacts } {
  exchangeCount += 1;
  const exchange: Exchange = {
    id: `e${exchangeCount}`,
    startedAt: at,
    operation,
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    model: "m",
    client: { userAgent, address },
    requestBytes: 0,
    responseBytes: 0,
    chunkCount: 0,
    state: { phase: "waiting" },
    notices: [],
  };
  const conversation = { ...more, messages: messages?.map(clueOf), purpose };
  return { exchange, facts: { conversation } };
}
