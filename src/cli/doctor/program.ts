/** Is this Node good enough, and where do the settings come from? */
import type { Origin } from "../../config.ts";
import type { Check } from "./check.ts";

/** The driver of SQLite needs Node-API 10; reading our own processor time needs Node 22.19. `engines` says 22.21. */
const OLDEST = [22, 21] as const;

export function checkNode(versions: { node: string; napi?: string }, platform: string): Check {
  const [major = 0, minor = 0] = versions.node.split(".").map(Number);
  const isNew = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  return {
    id: "node",
    state: isNew ? "good" : "warning",
    text: `Node ${versions.node}, Node-API ${versions.napi ?? "unknown"}, ${platform}`,
    ...(!isNew && {
      advice: [`Node ${OLDEST.join(".")} or newer is needed: from a checkout, npm start brings it`],
    }),
  };
}

export function checkSettings(facts: {
  configFile: string;
  configFileExists: boolean;
  origins: ReadonlyMap<string, Origin>;
  warnings: readonly string[];
}): Check {
  const named = [...facts.origins].map(([key, origin]) => `${key} (${origin})`).join(", ");
  return {
    id: "settings",
    state: facts.warnings.length === 0 ? "good" : "warning",
    text: `${facts.configFileExists ? facts.configFile : `no file at ${facts.configFile}`}; ${named === "" ? "all defaults" : `set: ${named}`}`,
    ...(facts.warnings.length > 0 && { advice: [...facts.warnings] }),
  };
}
