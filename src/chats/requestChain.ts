import { hash } from "node:crypto";
import type { MessageClue } from "../types.ts";

/** A list of messages as following a conversation sees it: what people said, in order, and what was answered. */
export interface RequestChain {
  users: readonly UserMessage[];
  /** Of all messages but instructions: grows when tools answer or an answer is continued. */
  messageCount: number;
  /** Of the instructions. */
  system?: string;
  systemLength: number;
  /** Something follows the last message of the user: an answer to go on with, or the results of tools. */
  hasTail: boolean;
}

interface UserMessage {
  hash: string;
  length: number;
  media?: string;
  /** Of all messages of the user up to this one. */
  chain: string;
  /** Of this one and the one before. */
  pair?: string;
  /** The last answer with text before the next message of the user. */
  answer?: string;
  answerLength: number;
}

/**
 * Chains what the user said. Answers are left out, because clients alter them: thoughts and tool calls are dropped,
 * text is wrapped anew. So are instructions, which often hold the time of day.
 */
export function requestChain(messages: readonly MessageClue[]): RequestChain {
  const users: UserMessage[] = [];
  let messageCount = 0;
  let system: string | undefined;
  let systemLength = 0;
  let hasTail = false;
  for (const message of messages) {
    if (message.role === "system") {
      system = joined(system ?? "", message.hash);
      systemLength += message.length;
      continue;
    }
    messageCount += 1;
    const last = users.at(-1);
    hasTail = message.role !== "user" && last !== undefined;
    if (message.role === "user") {
      const own = message.hash ?? message.media ?? "-";
      users.push({
        hash: own,
        length: message.length,
        media: message.media,
        chain: joined(last?.chain ?? "", own),
        pair: last === undefined ? undefined : joined(last.hash, own),
        answerLength: 0,
      });
    } else if (message.role === "assistant" && message.hash !== undefined && last !== undefined) {
      last.answer = message.hash;
      last.answerLength = message.length;
    }
  }
  return { users, messageCount, system, systemLength, hasTail };
}

function joined(before: string, next: string | undefined): string {
  return hash("sha256", `${before}\n${next ?? "-"}`, "base64url").slice(0, 16);
}
