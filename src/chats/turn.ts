/** One exchange of a conversation, as far as its tokens go. */

/** What a request gives the model to read. */
export interface PromptShape {
  /** UTF-8 bytes; absent when the body was not read. */
  textBytes?: number;
  /** Of it, what came after the last answer in the history. */
  newTextBytes?: number;
  /** 0: the history is not in the request; Ollama is given it as a list of tokens. */
  messageCount: number;
  imageCount: number;
  maxOutputTokens?: number;
}

/** Absent counts are not known, or not yet. */
export interface Turn {
  exchangeId: string;
  /** From 1, as the conversation counts. */
  turn: number;
  /** The exchange that it goes on from. */
  previousId?: string;
  prompt: PromptShape;
  /** The whole prompt, whatever Ollama left out of it. Absent until known or where nothing tells. */
  sentTokens?: number;
  inputTokens?: number;
  outputTokens?: number;
  /** Ollama left something out, or forgot part of it while it answered. */
  cut: boolean;
}
