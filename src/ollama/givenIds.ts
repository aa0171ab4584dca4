import type { ConversationClues } from "../types.ts";
import { saltedHash } from "./saltedHash.ts";

/** Headers in which a client says which conversation this is, the first that is there wins. */
const CONVERSATION_HEADERS = [
  "x-plimsoll-conversation",
  "x-openwebui-chat-id",
  "x-session-id",
  "x-litellm-session-id",
] as const;
const USER_HEADER = "x-openwebui-user-id";

/** What the headers of a request say of its conversation; ids are hashed like everything else. */
export function givenIds(header: (name: string) => string | undefined, salt: string): ConversationClues {
  const clues: ConversationClues = {};
  for (const name of CONVERSATION_HEADERS) {
    const id = header(name)?.trim();
    if (id !== undefined && id !== "") {
      clues.givenId = saltedHash(salt, `${name} ${id}`);
      break;
    }
  }
  const user = header(USER_HEADER)?.trim();
  if (user !== undefined && user !== "") {
    clues.userId = saltedHash(salt, `${USER_HEADER} ${user}`);
  }
  return clues;
}
