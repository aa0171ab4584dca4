/** Which part of a prompt goes when it does not fit: whole messages, the oldest first; system messages stay. */
export interface Dropped {
  /** Of the prompt that the model reads. */
  inputTokens: number;
  tokensLost: number;
}

/**
 * `oldest`: tokens of the messages after the system's, the oldest first; what lies behind them is taken to be as large
 * on average. Nothing is lost where all fits.
 */
export function dropOldest(sentTokens: number, contextLength: number, oldest: readonly number[]): Dropped {
  const over = sentTokens - contextLength;
  const usual = oldest.length === 0 ? contextLength / 8 : sum(oldest) / oldest.length;
  let lost = 0;
  for (let message = 0; lost < over; message += 1) {
    lost += Math.max(1, oldest[message] ?? usual);
  }
  const inputTokens = Math.max(1, sentTokens - lost);
  return { inputTokens, tokensLost: sentTokens - inputTokens };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
