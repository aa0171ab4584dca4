import { describe, expect, it } from "vitest";
import { clientName, retryCount } from "../../src/ollama/clientName.ts";

describe("clientName", () => {
  it.each([
    ["ollama-js/0.6.4 (x64 linux Node.js/v24.21.0)", "ollama-js"],
    ["ollama-python/0.6.3 (x86_64 linux) Python/3.12.1", "ollama-python"],
    ["ollama/0.33.0-rc2 (amd64 linux) Go/go1.26.8", "ollama-cli"],
    ["OpenAI/JS 7.55.0", "openai-js"],
    ["AsyncOpenAI/Python 3.52.0", "openai-python"],
    ["Anthropic/JS 1.11.0", "anthropic-js"],
    ["AsyncAnthropic/Python 2.11.0", "anthropic-python"],
    ["Open WebUI (https://github.com/open-webui/open-webui) RAG Bot", "open-webui"],
    ["claude-cli/2.1.0 (external, cli)", "claude-code"],
    ["codex_cli_rs/0.169.0 (Ubuntu 24.4.0; x86_64)", "codex"],
    ["GitHubCopilotChat/0.31", "github-copilot"],
    ["RooCode/3.54.0", "roo-code"],
    ["Cline/3.74.0", "cline"],
    ["Zed/0.200.0 (linux; x86_64)", "zed"],
    ["Continue/1.2.3", "continue"],
    ["HomeAssistant/2026.11.0 httpx/0.28", "home-assistant"],
    ["ai/7.0.173 ai-sdk/provider-utils/4.0.1 runtime/node.js/24", "ai-sdk"],
    ["curl/7.88.1", "curl"],
    ["python-requests/2.32.3", "python-requests"],
    ["Python/3.12 aiohttp/3.11", "python-aiohttp"],
    ["node", "node"],
    ["Go-http-client/1.1", "go"],
    ["Mozilla/5.0 (X11; Linux x86_64)", "browser"],
    ["My-Tool(beta)", "my-tool"],
  ])("%s is %s", (userAgent, name) => {
    expect(clientName(userAgent)).toBe(name);
  });

  it.each([undefined, "", "   ", "(no product)", "/1.0", "\u00e9"])("%j has no name", (userAgent) => {
    expect(clientName(userAgent)).toBeUndefined();
  });

  it("is short whatever was sent", () => {
    expect(clientName("x".repeat(10_000))).toBeUndefined();
  });
});

describe("retryCount", () => {
  it.each([
    ["0", 0],
    ["2", 2],
    [" 1 ", 1],
    [undefined, 0],
    ["", 0],
    ["-1", 0],
    ["1e3", 0],
    ["99999", 0],
    ["two", 0],
  ])("%j is %d", (header, count) => {
    expect(retryCount(header)).toBe(count);
  });
});
