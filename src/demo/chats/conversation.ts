/** One chat: what was said so far, and the next turn of it. */
import { prose } from "../prose.ts";
import type { Random } from "../random.ts";
import { answerText } from "./answerText.ts";
import type { HttpClient } from "./httpClient.ts";
import type { Message, Program } from "./people.ts";

interface Turn {
  questionTokens: number;
  answerTokens: number;
  contextLength?: number;
}

export interface Conversation {
  turns(): number;
  /** Asks and keeps the answer. A turn that fails or is broken off leaves its question out again. */
  ask(turn: Turn, signal: AbortSignal): Promise<void>;
}

export function createConversation(parts: {
  client: HttpClient;
  random: Random;
  program: Program;
  model: string;
}): Conversation {
  const { client, program, model } = parts;
  const messages: Message[] = [];
  return {
    turns: () => messages.length / 2,
    ask: async (turn, signal) => {
      const question: Message = { role: "user", content: prose(parts.random, turn.questionTokens) };
      const body = program.body({
        model,
        messages: [...messages, question],
        maxTokens: turn.answerTokens,
        ...(turn.contextLength === undefined ? {} : { contextLength: turn.contextLength }),
      });
      const answer = await client.send({ path: program.path, headers: program.headers, body, signal });
      if (answer.status !== 200) throw new Error(`${program.path} answered ${answer.status}`);
      messages.push(question, { role: "assistant", content: answerText(answer.text) });
    },
  };
}
