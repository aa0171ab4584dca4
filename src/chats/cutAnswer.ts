/** What became of the context while a model answered: it was shifted, or the answer ended because it was full. */
export interface AnswerRead {
  inputTokens: number;
  outputTokens: number;
  contextLength: number;
  doneReason?: string;
  maxOutputTokens?: number;
  /** llama-server (v0.30 and later) keeps one cell free and counts the first token among those it keeps. */
  llamaServer: boolean;
}

/** `tokensLost`: forgotten while it answered, however often that happened. */
export type AnswerCut = { kind: "context-shifted"; tokensLost: number } | { kind: "context-full" };

const LENGTH_REASONS = new Set(["length", "max_tokens", "max_output_tokens", "incomplete"]);

/**
 * The last token of an answer is not in a cell. When the cells run out, the older half of what may be forgotten goes
 * and the answer goes on; where that is switched off, or the model cannot, the answer ends for its length.
 */
export function answerCut(read: AnswerRead): AnswerCut | undefined {
  const { inputTokens, outputTokens, contextLength, llamaServer } = read;
  const cells = inputTokens + outputTokens - 1;
  const limit = llamaServer ? contextLength - 1 : contextLength;
  if (cells > limit) {
    const discarded = Math.max(1, Math.floor((limit - (llamaServer ? 5 : 4)) / 2));
    return { kind: "context-shifted", tokensLost: discarded * Math.ceil((cells - limit) / discarded) };
  }
  const askedForThisLength = read.maxOutputTokens !== undefined && outputTokens >= read.maxOutputTokens;
  const endedForLength = read.doneReason !== undefined && LENGTH_REASONS.has(read.doneReason);
  const full = inputTokens + outputTokens >= contextLength - 1;
  return endedForLength && full && !askedForThisLength ? { kind: "context-full" } : undefined;
}
