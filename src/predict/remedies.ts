/**
 * The one home of fixes: each worded once, with the figures of this machine, and with where to write it down. Chats,
 * alerts, the guard and advice call these. Undefined where this version of Ollama does not know the setting, so that
 * nobody is sent after one that does nothing.
 */
import type { MemoryEstimate, Remedy } from "../types.ts";
import { bytesText, durationText, nameText } from "./figureText.ts";
import { isAtLeast, parseOllamaVersion } from "./ollamaVersion.ts";
import {
  environmentCommands,
  modelfileCommands,
  nameWithContext,
  plainModelName,
  requestOption,
  type Commands,
} from "./remedyCommands.ts";

/** What a change of settings costs or saves, from the estimate of this model on this machine. */
export interface RemedyFigures {
  /** More than now; negative saves. */
  costBytes?: number;
  /** What the machine says to it. */
  verdict?: MemoryEstimate["fit"]["verdict"];
  shortBytes?: number;
}

export interface Remedies {
  /** A new chat starts with an empty context. `turn`: the one from which going on is slow. */
  freshChat(facts?: { turn?: number; waitMs?: number; bytesPerTurn?: number }): Remedy;
  /** `dialect` other than `ollama` cannot send `num_ctx`: the way over a Modelfile is given. */
  largerContext(facts: { model: string; contextLength: number; dialect?: string } & RemedyFigures): Remedy;
  smallerContext(facts: {
    model: string;
    contextLength: number;
    savesBytes?: number;
    dialect?: string;
  }): Remedy;
  /** The context of whoever asks for none. */
  serverContext(facts: { contextLength: number; savesBytes?: number }): Remedy | undefined;
  cacheType(facts: { type: "q8_0" | "q4_0"; savesBytes?: number }): Remedy | undefined;
  /** Bounds the prompts that a runner keeps in memory. */
  promptCache(facts: { limitBytes: number; savesBytes?: number }): Remedy | undefined;
  singleSlot(facts?: { parallel?: number; savesBytes?: number }): Remedy;
  oneModel(facts?: { savesBytes?: number }): Remedy;
  /** `idle`: nobody has used it for so long. */
  stopModel(facts: { model: string; savesBytes?: number; idleMs?: number }): Remedy | undefined;
  smallerModel(facts: { model: string; quantization?: string; savesBytes?: number }): Remedy;
  /** Several clients ask for different contexts of one model, and each of them makes it load again. */
  agreeOnContext(
    facts: {
      model: string;
      clients: readonly string[];
      contextLength: number;
      dialects?: readonly string[];
    } & RemedyFigures,
  ): Remedy;
  /** Any other option that clients ask for differently. */
  agreeOnOption(facts: { model: string; option: string; clients: readonly string[] }): Remedy;
  longerKeepAlive(facts: { model: string; keepAlive: string }): Remedy;
  /** Where Ollama says why a runner died. */
  readLog(): Remedy;
  /** A model of its own for those who cannot send `num_ctx`: `/v1` clients. */
  modelWithContext(facts: { model: string; contextLength: number } & RemedyFigures): Remedy;
  closePrograms(facts?: { names?: readonly string[]; savesBytes?: number }): Remedy;
}

const MEBIBYTE = 1024 ** 2;
/** Less is no cost to speak of: the context is that of the runner which is there. */
const LEAST_BYTES = MEBIBYTE / 2;

/** `ollamaVersion`: as `/api/version` says it; an unknown one is taken for the newest. */
export function createRemedies({ ollamaVersion }: { ollamaVersion?: string } = {}): Remedies {
  const version = parseOllamaVersion(ollamaVersion);
  const modelWithContext: Remedies["modelWithContext"] = ({ model, contextLength, ...figures }) => {
    const name = plainModelName(model);
    const created = name === undefined ? "a name of its own" : nameWithContext(name, contextLength);
    return {
      id: `model-with-context:${contextLength}`,
      text: `Make ${created} from ${nameText(model)} with num_ctx ${contextLength} and choose it in the client: requests over /v1 cannot set num_ctx${costText(figures)}`,
      ...savesOf(figures),
      commands: modelfileCommands(model, contextLength),
    };
  };

  return {
    freshChat({ turn, waitMs, bytesPerTurn } = {}) {
      const costs = [
        ...(waitMs === undefined ? [] : [`waits about ${durationText(waitMs)}`]),
        ...(bytesPerTurn === undefined || bytesPerTurn <= 0 ? [] : [`adds ${bytesText(bytesPerTurn)}`]),
      ];
      const from = turn === undefined ? "each turn" : `from turn ${turn} on each turn`;
      return {
        id: "fresh-chat",
        text: `Start a fresh chat${costs.length === 0 ? "" : `: ${from} of this one ${costs.join(" and ")}`}`,
        commands: [],
      };
    },

    largerContext({ model, contextLength, dialect, ...figures }) {
      if (!setsContext(dialect)) {
        return {
          ...modelWithContext({ model, contextLength, ...figures }),
          id: `larger-context:${contextLength}`,
        };
      }
      return {
        id: `larger-context:${contextLength}`,
        text: `Set num_ctx to ${contextLength} for ${nameText(model)}${costText(figures)}`,
        ...savesOf(figures),
        commands: contextCommands(model, contextLength),
      };
    },

    smallerContext({ model, contextLength, savesBytes, dialect }) {
      const frees = savesBytes === undefined ? "" : `: frees ${bytesText(savesBytes)}`;
      return {
        id: `smaller-context:${contextLength}`,
        text: setsContext(dialect)
          ? `Set num_ctx to ${contextLength} for ${nameText(model)}${frees}`
          : `Give ${nameText(model)} a context of ${contextLength} with a Modelfile, as requests over /v1 cannot set num_ctx${frees}`,
        ...(savesBytes !== undefined && { savesBytes }),
        commands: setsContext(dialect)
          ? contextCommands(model, contextLength)
          : modelfileCommands(model, contextLength),
      };
    },

    serverContext({ contextLength, savesBytes }) {
      // The server's default context can be set since v0.5.13.
      return isAtLeast(version, 5, 13)
        ? environmentRemedy({
            id: `server-context:${contextLength}`,
            text: `Set OLLAMA_CONTEXT_LENGTH=${contextLength}, the context of whoever asks for none`,
            variables: { OLLAMA_CONTEXT_LENGTH: String(contextLength) },
            savesBytes,
          })
        : undefined;
    },

    cacheType({ type, savesBytes }) {
      return isAtLeast(version, 5)
        ? environmentRemedy({
            id: `cache-type:${type}`,
            text: `Keep the KV cache in ${type}, which needs flash attention${type === "q4_0" ? " and costs some quality" : ""}`,
            variables: { OLLAMA_KV_CACHE_TYPE: type, OLLAMA_FLASH_ATTENTION: "1" },
            savesBytes,
          })
        : undefined;
    },

    promptCache({ limitBytes, savesBytes }) {
      const mebibytes = Math.max(0, Math.floor(limitBytes / MEBIBYTE));
      // Only llama-server, which came with v0.30, keeps prompts in memory.
      return isAtLeast(version, 30)
        ? environmentRemedy({
            id: `prompt-cache:${mebibytes}`,
            text:
              mebibytes === 0
                ? "Switch off the prompts kept in memory (LLAMA_ARG_CACHE_RAM=0): each switch of chats then computes its prompt again"
                : `Let each runner keep at most ${bytesText(mebibytes * MEBIBYTE)} of earlier prompts in memory (8 GiB unless set)`,
            variables: { LLAMA_ARG_CACHE_RAM: String(mebibytes) },
            savesBytes,
          })
        : undefined;
    },

    singleSlot({ parallel, savesBytes } = {}) {
      return environmentRemedy({
        id: "single-slot",
        text: `Answer one request at a time (OLLAMA_NUM_PARALLEL=1${parallel === undefined ? "" : ` instead of ${parallel}`}): each slot has a KV cache of its own`,
        variables: { OLLAMA_NUM_PARALLEL: "1" },
        savesBytes,
      });
    },

    oneModel({ savesBytes } = {}) {
      return environmentRemedy({
        id: "one-model",
        text: "Keep one model in memory at a time (OLLAMA_MAX_LOADED_MODELS=1): another one then has to load first",
        variables: { OLLAMA_MAX_LOADED_MODELS: "1" },
        savesBytes,
      });
    },

    stopModel({ model, savesBytes, idleMs }) {
      const name = plainModelName(model);
      // The command came with v0.3.11.
      if (name === undefined || !isAtLeast(version, 3, 11)) {
        return undefined;
      }
      const unused = idleMs === undefined ? "" : `, unused for ${durationText(idleMs)}`;
      return {
        id: `stop:${name}`,
        text: `Unload ${name}${unused}${savesText(savesBytes)}`,
        ...(savesBytes !== undefined && { savesBytes }),
        commands: [
          { platform: "any", text: `ollama stop ${name}` },
          { platform: "docker", text: `docker exec ollama ollama stop ${name}` },
        ],
      };
    },

    smallerModel({ model, quantization, savesBytes }) {
      return {
        id: "smaller-model",
        text: `Use a smaller model${quantization === undefined ? ` than ${nameText(model)}, or a smaller quantisation of it` : `: ${nameText(model)} in ${nameText(quantization)}`}${savesText(savesBytes)}`,
        ...(savesBytes !== undefined && { savesBytes }),
        commands: [],
      };
    },

    agreeOnContext({ model, clients, contextLength, dialects, ...figures }) {
      const names = [...new Set(clients.map(nameText))];
      const unable = dialects?.some((dialect) => !setsContext(dialect)) === true;
      const one = names.length < 2;
      const who = one ? `every request${names[0] === undefined ? "" : ` of ${names[0]}`}` : whoText(names);
      return {
        id: `agree-on-context:${contextLength}`,
        text: `Set num_ctx to ${contextLength} in ${who} for ${nameText(model)}, so that ${one ? "none" : "neither"} makes it load again${unable ? "; over /v1 that takes a Modelfile" : ""}${costText(figures)}`,
        ...savesOf(figures),
        commands: contextCommands(model, contextLength),
      };
    },

    agreeOnOption({ model, option, clients }) {
      const names = [...new Set(clients.map(nameText))];
      const who =
        names.length < 2 ? `every request${names[0] === undefined ? "" : ` of ${names[0]}`}` : whoText(names);
      return {
        id: `agree-on:${option}`,
        text: `Send the same ${option} in ${who} for ${nameText(model)}, or leave it out everywhere: each change of it loads the model again`,
        commands: [],
      };
    },

    longerKeepAlive({ model, keepAlive }) {
      const words = durationWord(keepAlive, "30m");
      return {
        id: `keep-alive:${words}`,
        text: `Keep ${nameText(model)} in memory for ${words} without requests`,
        commands: keepAliveCommands(words),
      };
    },

    readLog() {
      return {
        id: "read-log",
        text: "Ollama's log says why",
        commands: [
          { platform: "linux", text: "journalctl -u ollama -n 100 --no-pager" },
          { platform: "macos", text: "tail -n 100 ~/.ollama/logs/server.log" },
          { platform: "windows", text: 'Get-Content "$env:LOCALAPPDATA\\Ollama\\server.log" -Tail 100' },
          { platform: "docker", text: "docker logs --tail 100 ollama" },
        ],
      };
    },

    modelWithContext,

    closePrograms({ names = [], savesBytes } = {}) {
      const which = names.length === 0 ? "other programs" : names.map(nameText).join(", ");
      return {
        id: "close-programs",
        text: `Close ${which}${savesText(savesBytes)}`,
        ...(savesBytes !== undefined && { savesBytes }),
        commands: [],
      };
    },
  };
}

function whoText(names: readonly string[]): string {
  return names.length === 2 ? `both ${names.join(" and ")}` : names.join(", ");
}

/** As Go writes durations; anything else could be more than that to a shell. */
function durationWord(text: string, otherwise: string): string {
  return /^-?[\d.]+(?:ms|[smh])?$/.test(text) ? text : otherwise;
}

function keepAliveCommands(words: string): Commands {
  return [
    ...environmentCommands({ OLLAMA_KEEP_ALIVE: words }),
    { platform: "any", text: `"keep_alive": "${words}"` },
  ];
}

/** Only Ollama's own API carries `num_ctx`; who the client is may be unknown. */
function setsContext(dialect: string | undefined): boolean {
  return dialect === undefined || dialect === "ollama" || dialect === "none";
}

/** Where a client sets it, and where the model does for all who do not. */
function contextCommands(model: string, contextLength: number): Commands {
  return [requestOption("num_ctx", contextLength), ...modelfileCommands(model, contextLength)];
}

function environmentRemedy(parts: {
  id: string;
  text: string;
  variables: Record<string, string>;
  savesBytes: number | undefined;
}): Remedy {
  return {
    id: parts.id,
    text: `${parts.text}${savesText(parts.savesBytes)}; Ollama reads it at its start`,
    ...(parts.savesBytes !== undefined && { savesBytes: parts.savesBytes }),
    commands: environmentCommands(parts.variables),
  };
}

function savesText(savesBytes: number | undefined): string {
  return savesBytes === undefined || savesBytes <= 0 ? "" : ` (saves ${bytesText(savesBytes)})`;
}

function savesOf({ costBytes }: RemedyFigures): { savesBytes?: number } {
  return costBytes !== undefined && costBytes < 0 ? { savesBytes: -costBytes } : {};
}

/** `: costs 448 MiB more and fits`. */
function costText({ costBytes, verdict, shortBytes }: RemedyFigures): string {
  const fits =
    verdict === "fits"
      ? "fits"
      : verdict === "tight"
        ? "fits, tightly"
        : verdict === "overflows"
          ? `does not fit${shortBytes === undefined ? "" : ` (${bytesText(shortBytes)} short)`}`
          : undefined;
  const costs =
    costBytes === undefined || Math.abs(costBytes) < LEAST_BYTES
      ? undefined
      : costBytes < 0
        ? `frees ${bytesText(-costBytes)}`
        : `costs ${bytesText(costBytes)} more`;
  const words = [costs, fits].filter((part) => part !== undefined);
  return words.length === 0 ? "" : `: ${words.join(" and ")}`;
}
