/** Ollama's version, and which engine runs a model under it. */
import type { Engine } from "./estimateSettings.ts";

export interface OllamaVersion {
  major: number;
  minor: number;
  patch: number;
}

/** Reads `0.33.0-rc2`; undefined for what development builds and forks call themselves (`0.0.0`, words). */
export function parseOllamaVersion(text: string | undefined): OllamaVersion | undefined {
  const match = /^v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?/.exec(text ?? "");
  if (match === null) return undefined;
  const [major, minor, patch] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  return major + minor + patch === 0 ? undefined : { major, minor, patch };
}

/** Whether it is at least this version; an unknown version is taken for the newest. */
export function isAtLeast(version: OllamaVersion | undefined, minor: number, patch = 0): boolean {
  if (version === undefined || version.major > 0) return true;
  return version.minor > minor || (version.minor === minor && version.patch >= patch);
}

/** Families that ran in Ollama's own engine before v0.30, by the names in their files. */
const OWN_ENGINE: ReadonlySet<string> = new Set(
  `bert deepseek2 deepseekocr gemma3 gemma3n gemma4 gptoss gpt-oss laguna llama4 mistral3 mllama nemotron_h nemotron_h_moe
   nemotron_h_omni nomic-bert olmo3 qwen25vl qwen3 qwen3moe qwen35 qwen35moe qwen3next qwen3vl qwen3vlmoe glm4moelite
   glmocr lfm2 lfm2moe`.split(/\s+/),
);

/**
 * Which program runs the model: all of them llama-server from v0.30 on, before it Ollama's own engine for the families
 * that it knew. `family`: as the file names it.
 */
export function engineOf(version: OllamaVersion | undefined, family: string): Engine {
  if (isAtLeast(version, 30)) return "llama-server";
  return OWN_ENGINE.has(family) ? "ollama" : "llama";
}
