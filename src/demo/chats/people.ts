/** Who chats in the demo: programs people use, with the headers and bodies they send. */

export interface Message {
  role: "user" | "assistant";
  content: string;
}

export interface Program {
  path: string;
  headers: Readonly<Record<string, string>>;
  body(turn: {
    model: string;
    messages: readonly Message[];
    maxTokens: number;
    contextLength?: number;
  }): unknown;
}

const nativeBody: Program["body"] = ({ model, messages, maxTokens, contextLength }) => ({
  model,
  messages,
  stream: true,
  options: { ...(contextLength === undefined ? {} : { num_ctx: contextLength }), num_predict: maxTokens },
});

/** Names its chat in a header, as it does when told to forward who is chatting. */
export function openWebUi(chatId: string): Program {
  return {
    path: "/api/chat",
    headers: {
      Accept: "*/*",
      "Accept-Encoding": "gzip, deflate",
      "User-Agent": "Open WebUI/0.12.4 (Python/3.12 aiohttp/3.13.2)",
      "X-OpenWebUI-Chat-Id": chatId,
    },
    body: nativeBody,
  };
}

/** Asks for its own num_ctx with every request. */
export const continueEditor: Program = {
  path: "/api/chat",
  headers: { Accept: "*/*", "User-Agent": "Continue/1.3.38 (vscode)" },
  body: nativeBody,
};

/** Cannot ask for a num_ctx: there is no such thing in its API. */
export const openaiScript: Program = {
  path: "/v1/chat/completions",
  headers: {
    Accept: "application/json",
    Authorization: "Bearer ollama",
    "User-Agent": "OpenAI/JS 7.55.0",
    "X-Stainless-Lang": "js",
    "X-Stainless-Package-Version": "7.55.0",
    "X-Stainless-Retry-Count": "0",
    "X-Stainless-Runtime": "node",
  },
  body: ({ model, messages, maxTokens }) => ({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: maxTokens,
  }),
};

export const claudeCode: Program = {
  path: "/v1/messages",
  headers: {
    Accept: "application/json",
    "User-Agent": "claude-cli/2.1.0 (external, cli)",
    "anthropic-version": "2023-06-01",
    "x-api-key": "ollama",
  },
  body: ({ model, messages, maxTokens }) => ({ model, messages, stream: true, max_tokens: maxTokens }),
};

export const codex: Program = {
  path: "/v1/responses",
  headers: { Accept: "text/event-stream", "User-Agent": "codex_cli_rs/0.169.0 (Linux; x86_64)" },
  body: ({ model, messages, maxTokens }) => ({
    model,
    input: messages,
    stream: true,
    max_output_tokens: maxTokens,
  }),
};

export const pythonScript = {
  headers: { Accept: "application/json", "User-Agent": "ollama-python/0.6.3 (x86_64 linux) Python/3.12.7" },
};
