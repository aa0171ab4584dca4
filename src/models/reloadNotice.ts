/** What is said to whoever waited for a model to be loaded again, and what would have spared the wait. */
import { bytesText, durationText, nameText } from "../predict/figureText.ts";
import type { Remedies, RemedyFigures } from "../predict/remedies.ts";
import type { Load, LoadCause, Notice, Remedy } from "../types.ts";

export interface ReloadWords {
  remedies: Remedies;
  /** What another context of this model costs on this machine; undefined while that is not known. */
  figures(model: string, contextLength: number): RemedyFigures | undefined;
}

export interface ReloadFacts {
  /** Dialects of the two requests, and whether one of them asked for no context. */
  dialects: readonly string[];
  asksNone: boolean;
}

/** Below this nothing worth a word was lost. */
const NOTEWORTHY_BYTES = 2 ** 20;

const BECAUSE: Readonly<Record<LoadCause, string>> = {
  first: "",
  options: "",
  expired: "it had been unloaded, as its keep_alive was over",
  evicted: "it had made room for another model",
  crashed: "its runner had died",
  restarted: "Ollama had been started again",
  unknown: "why it was unloaded could not be seen",
};

export function reloadNotice(load: Load, facts: ReloadFacts, words: ReloadWords): Notice {
  const took = load.loadMs === undefined ? "" : ` in ${durationText(load.loadMs)}`;
  const lost =
    load.lostBytes === undefined || load.lostBytes < NOTEWORTHY_BYTES
      ? ""
      : `; ${bytesText(load.lostBytes)} of cached prompts and state were thrown away`;
  const remedies = remediesOf(load, facts, words);
  return {
    kind: "reloaded",
    message: `${nameText(load.model)} was loaded again${took}: ${because(load)}${lost}`,
    ...(load.loadMs !== undefined && { ms: load.loadMs }),
    ...(remedies.length > 0 && { remedies }),
  };
}

function because(load: Load): string {
  const changes = (load.differences ?? [])
    .map(({ option, from, to }) => `${option} ${from ?? "unset"} → ${to ?? "unset"}`)
    .join(", ");
  if (load.cause !== "options") {
    return `${BECAUSE[load.cause]}${changes === "" ? "" : ` (now ${changes})`}`;
  }
  const { client, previousClient } = load;
  const asked = client === undefined ? "" : `, asked for by ${nameText(client)}`;
  const before =
    previousClient === undefined || previousClient === client ? "" : ` after ${nameText(previousClient)}`;
  return `${changes}${asked}${before}`;
}

function remediesOf(load: Load, facts: ReloadFacts, words: ReloadWords): Remedy[] {
  const { remedies } = words;
  switch (load.cause) {
    case "options":
      return agreement(load, facts, words);
    case "expired":
      return [remedies.longerKeepAlive({ model: load.model, keepAlive: "30m" })];
    case "crashed":
      return [remedies.readLog()];
    default:
      return [];
  }
}

function agreement(load: Load, facts: ReloadFacts, { remedies, figures }: ReloadWords): Remedy[] {
  const { model, differences = [] } = load;
  const clients = [load.previousClient, load.client].filter((name) => name !== undefined);
  const context = differences.find(({ option }) => option === "num_ctx");
  if (context === undefined) {
    return differences
      .filter(({ option }) => !option.startsWith("OLLAMA_"))
      .map(({ option }) => remedies.agreeOnOption({ model, option, clients }));
  }
  const contextLength = Math.max(Number(context.from ?? 0), Number(context.to ?? 0));
  if (!(contextLength > 0)) {
    return [];
  }
  const agree = remedies.agreeOnContext({
    model,
    clients,
    contextLength,
    dialects: facts.dialects,
    ...figures(model, contextLength),
  });
  // Whoever asks for no context gets the server's: raised to the other's, both get the same.
  const server = facts.asksNone ? remedies.serverContext({ contextLength }) : undefined;
  return server === undefined ? [agree] : [agree, server];
}
