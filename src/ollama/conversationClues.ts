import type { ConversationClues, Dialect, MessageClue, Operation } from "../types.ts";
import { answerHash, createAnswerPrint } from "./answerPrint.ts";
import { asObject, structFields } from "./lenient.ts";
import { mediaOf, textOf } from "./messageText.ts";
import { purposeOfChat, purposeOfCompletion } from "./purpose.ts";
import { saltedHash } from "./saltedHash.ts";

type Fields = Map<string, unknown>;

/** More than any chat has. Of longer lists the latest are read, as if the client had left out the others. */
const MOST_MESSAGES = 16_384;

/** What a request says of its conversation. Of its texts nothing but salted hashes and lengths leaves this function. */
export function readClues(
  fields: Fields,
  { operation, dialect, salt }: { operation: Operation; dialect: Dialect; salt: string },
): ConversationClues | undefined {
  if (operation === "generate") {
    return completionClues(fields, { operation, dialect, salt });
  }
  if (operation !== "chat") {
    return undefined;
  }
  const clues: ConversationClues = {};
  const previous = fields.get("previous_response_id");
  if (dialect === "responses" && typeof previous === "string" && previous !== "") {
    clues.previousResponseId = saltedHash(salt, previous);
  }
  const said = messagesOf(fields, dialect);
  if (said === undefined) {
    return clues.previousResponseId === undefined ? undefined : clues;
  }
  clues.messages = said.map((message) => clueOf(message, salt));
  clues.purpose = purposeOfChat(
    said.find(({ role }) => role === "system")?.text,
    said.findLast(({ role }) => role === "user")?.text,
  );
  return clues;
}

function completionClues(
  fields: Fields,
  { operation, dialect, salt }: { operation: Operation; dialect: Dialect; salt: string },
): ConversationClues {
  const context = fields.get("context");
  if (dialect === "ollama" && isTokens(context)) {
    return { purpose: "chat", context: saltedHash(salt, context.join(",")) };
  }
  return { purpose: purposeOfCompletion(fields, { operation, dialect }) };
}

function isTokens(context: unknown): context is number[] {
  return Array.isArray(context) && context.length > 0 && context.every((token) => typeof token === "number");
}

interface Said {
  role: MessageClue["role"];
  text: string;
  media?: string | undefined;
}

/** Undefined when there is no list that Ollama would take for messages. */
function messagesOf(fields: Fields, dialect: Dialect): Said[] | undefined {
  const list = fields.get(dialect === "responses" ? "input" : "messages");
  const instructions = textOf(fields.get(dialect === "responses" ? "instructions" : "system"));
  const said: Said[] = instructions === "" ? [] : [{ role: "system", text: instructions }];
  if (typeof list === "string" && dialect === "responses") {
    return [...said, { role: "user", text: list }];
  }
  if (!Array.isArray(list)) {
    return undefined;
  }
  for (const message of list.slice(-MOST_MESSAGES)) {
    const one = asObject(message) === undefined ? undefined : messageOf(structFields(message));
    if (one !== undefined) {
      said.push(one);
    }
  }
  return said;
}

// By `unknown`: a role may be an object, of which even a text cannot be made without running what its keys say.
const ROLES = new Map<unknown, MessageClue["role"]>([
  ["system", "system"],
  ["developer", "system"],
  ["user", "user"],
  ["assistant", "assistant"],
  ["model", "assistant"],
  ["tool", "tool"],
  ["function", "tool"],
]);
/** Items of the Responses API that are no messages. */
const ITEMS = new Map<unknown, MessageClue["role"]>([
  ["function_call", "assistant"],
  ["custom_tool_call", "assistant"],
  ["function_call_output", "tool"],
  ["custom_tool_call_output", "tool"],
]);

function messageOf(message: Fields): Said | undefined {
  const content = message.get("content");
  const known = ROLES.get(message.get("role")) ?? ITEMS.get(message.get("type"));
  if (known === undefined) {
    // Thoughts and other items that clients keep or drop.
    return undefined;
  }
  if (known === "user" && bringsToolResults(content)) {
    return { role: "tool", text: "" };
  }
  return { role: known, text: textOf(content), media: known === "user" ? mediaOf(message) : undefined };
}

/** The Anthropic dialect has no role for tools: their results come as the user's. */
function bringsToolResults(content: unknown): boolean {
  return Array.isArray(content) && content.some((part) => asObject(part)?.["type"] === "tool_result");
}

function clueOf({ role, text, media }: Said, salt: string): MessageClue {
  if (role === "tool") {
    return { role, length: 0 };
  }
  const own = role === "assistant" ? printOf(text) : text.trim();
  const clue: MessageClue = { role, length: own.length };
  if (own !== "") {
    clue.hash = role === "assistant" ? answerHash(salt, own) : saltedHash(salt, own);
  }
  if (media !== undefined) {
    clue.media = saltedHash(salt, media);
  }
  return clue;
}

function printOf(text: string): string {
  const print = createAnswerPrint();
  print.add(text);
  return print.text();
}
