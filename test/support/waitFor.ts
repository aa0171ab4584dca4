/** Waits until a condition holds; fails with what was last seen. For things that happen soon but not at a known time. */
export async function waitFor(
  condition: () => unknown | Promise<unknown>,
  { timeoutMs = 8000, everyMs = 10 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await condition();
    if (seen) {
      return;
    }
    if (performance.now() > deadline) {
      throw new Error(`not so after ${timeoutMs} ms: ${condition.toString()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
