/** Programs whose name the first word of their User-Agent does not give, or not in the form people know. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/open[- ]?webui/i, "open-webui"],
  [/^(?:Async)?(?:Azure)?OpenAI\/JS/i, "openai-js"],
  [/^(?:Async)?(?:Azure)?OpenAI\/Python/i, "openai-python"],
  [/^(?:Async)?Anthropic\/JS/i, "anthropic-js"],
  [/^(?:Async)?Anthropic\/Python/i, "anthropic-python"],
  [/^ollama\/\S+ \(\S+ \S+\) Go\//i, "ollama-cli"],
  [/^claude-cli\b/i, "claude-code"],
  [/^codex(?:_\w+)?\//i, "codex"],
  [/^GitHubCopilotChat\b/i, "github-copilot"],
  [/^RooCode\b/i, "roo-code"],
  [/^Home ?Assistant\b/i, "home-assistant"],
  [/\bai-sdk\b/i, "ai-sdk"],
  [/^Go-http-client\b/i, "go"],
  [/^Python\/[\d.]+ aiohttp\b/i, "python-aiohttp"],
  [/^node-fetch\b/i, "node"],
  [/^Mozilla\//i, "browser"],
];

/**
 * A short name for whoever sent this User-Agent: `open-webui`, `ollama-js`, `curl`, … A program that is not listed goes
 * by its own product name in lower case; absent when the header says nothing.
 */
export function clientName(userAgent: string | undefined): string | undefined {
  const text = userAgent?.trim().slice(0, 256) ?? "";
  const known = KNOWN.find(([pattern]) => pattern.test(text));
  if (known !== undefined) {
    return known[1];
  }
  const product = /^[\w.@-]{1,40}(?=[/\s(]|$)/.exec(text);
  return product?.[0].toLowerCase();
}

/** How often the client says it has tried before (`x-stainless-retry-count` of the OpenAI and Anthropic SDKs). */
export function retryCount(header: string | undefined): number {
  return /^\d{1,3}$/.test(header?.trim() ?? "") ? Number(header) : 0;
}
