/** Which `num_ctx` would have kept a prompt and its answer. */
const SMALLEST_WINDOW = 256;

/**
 * Doubles the window until it holds `tokens` and leaves room to go on. Undefined where the model was not trained for as
 * much: then no setting helps.
 */
export function windowFor(
  tokens: number,
  {
    contextLength,
    trainedContextLength = Infinity,
  }: { contextLength: number; trainedContextLength?: number },
): number | undefined {
  if (!(tokens > 0) || tokens >= trainedContextLength || !(contextLength > 0)) {
    return undefined;
  }
  let window = Math.max(SMALLEST_WINDOW, contextLength);
  while (window <= tokens) {
    window *= 2;
  }
  return Math.min(window, trainedContextLength);
}
