/** Answers "will it fit, and how fast" for a model that Ollama has, or for one described by hand. */
import { OllamaError, type OllamaClient, type ShowAnswer } from "../ollama/client.ts";
import { acceptedCacheTypes } from "../predict/cacheTypes.ts";
import { estimateMemory } from "../predict/estimate.ts";
import { SettingsProblem } from "../predict/estimateSettings.ts";
import { explainEstimate } from "../predict/explain.ts";
import { fitEstimate, type FitMachine } from "../predict/fit.ts";
import { largestContextThatFits } from "../predict/largestContext.ts";
import type { ModelShape } from "../predict/modelShape.ts";
import { withFileType } from "../predict/quantize.ts";
import { withLayersThatFit } from "../predict/layersThatFit.ts";
import { resolveSettings } from "../predict/resolveSettings.ts";
import { freedBytes } from "../predict/runnerBytes.ts";
import type { SettingsInput, SettingsQuery } from "../predict/settingsSource.ts";
import { ShapeProblem } from "../predict/shapeProblem.ts";
import { whatIfTable, type SpeedAtFullDepth, type WhatIfTable } from "../predict/whatIf.ts";
import type { LoadedModel, PredictAnswer } from "../types.ts";
import { readModel, type KnownModel } from "./modelKnowledge.ts";
import type { Configured, ExplainedSpeed } from "./speeds.ts";

export interface PredictQuery extends SettingsQuery {
  model?: string;
  /** A saved `/api/show` answer, in place of a model. */
  show?: ShowAnswer;
  draftModel?: string;
  quantization?: string;
}

export interface TableQuery extends PredictQuery {
  contexts?: readonly number[];
  kvCacheTypes?: readonly string[];
  quantizations?: readonly string[];
}

/** Why there is no answer: `status` is HTTP's word for it. */
export class AskProblem extends Error {
  override name = "AskProblem";
  readonly status: 400 | 404 | 503;
  readonly code: string;

  constructor(status: 400 | 404 | 503, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface AskParts {
  /** What is known of a model without asking. */
  known?: (model: string) => KnownModel | undefined;
  client: Pick<OllamaClient, "show" | "tags">;
  /** What this machine computes on, and which Ollama runs. */
  settings(): Omit<SettingsInput, "shape">;
  memory(): FitMachine;
  loaded(model: string): LoadedModel | undefined;
  calibrate(model: string, residentHostBytes: number): number;
  /** Without a name it is a file, of which nothing was learned. */
  speed(configured: Configured & { model?: string }): ExplainedSpeed | undefined;
}

export interface Ask {
  /** Throws `AskProblem`. */
  predict(query: PredictQuery, known?: KnownModel): Promise<PredictAnswer>;
  /** Throws `AskProblem`. */
  table(query: TableQuery, known?: KnownModel): Promise<WhatIfTable>;
  /** What a load would be started with; undefined for a model that Ollama does not have or that runs elsewhere. */
  settingsFor(query: PredictQuery): Promise<SettingsInput | undefined>;
  /** What was learned of a model before, without asking; pass it on where Ollama need not be asked again. */
  known(model: string): KnownModel | undefined;
  /** What this machine's own measurements make of a figure of the formula. */
  calibrate(model: string, residentHostBytes: number): number;
}

const SHORTEST_CONTEXT = 2048;
const LONGEST_CONTEXT = 131_072;

export function createAsk(parts: AskParts): Ask {
  const inputFor = async (query: PredictQuery, known?: KnownModel): Promise<SettingsInput> => {
    const model = known ?? (await describe(query, parts.client));
    const draft = query.draftModel === undefined ? undefined : await ask(query.draftModel, parts.client);
    const shape =
      query.quantization === undefined ? model.shape : withFileType(model.shape, query.quantization);
    const loaded = query.model === undefined ? undefined : parts.loaded(query.model);
    const machine = parts.settings();
    return {
      ...machine,
      environment: loaded?.settings?.environment ?? machine.environment,
      shape,
      query,
      draft: draft?.shape,
      modelParameters: model.parameters,
      runner: loaded === undefined ? undefined : runnerFor(query, loaded.settings),
      ps: loaded === undefined ? undefined : { contextLength: loaded.contextLength },
    };
  };

  /** Another kind of machine than this one has memory that is not known here. */
  const memoryFor = (query: PredictQuery): FitMachine => {
    const here = parts.settings().backend;
    const elsewhere = query.backend !== undefined && query.backend !== here;
    return elsewhere ? {} : { ...parts.memory(), freedBytes: freed(query) };
  };

  /** A loaded model is replaced by its own reload: what it holds comes back first. */
  const freed = (query: PredictQuery): number => {
    return query.model === undefined ? 0 : freedBytes(parts.loaded(query.model)?.measured);
  };

  const fullDepthSpeed =
    (query: TableQuery): SpeedAtFullDepth =>
    (shape, settings, { kvBytesPerToken }) => {
      const full = parts
        .speed({ model: asItIs(query), shape, settings, kvBytesPerToken })
        ?.speed.decodeTokensPerSecond.at(-1);
      return full === undefined ? undefined : { value: full.value, low: full.low, high: full.high };
    };

  return {
    async settingsFor(query) {
      const known = query.model === undefined ? undefined : parts.known?.(query.model);
      return known?.remote === true ? undefined : inputFor(query, known).catch(() => undefined);
    },
    known: (model) => parts.known?.(model),
    calibrate: parts.calibrate,
    predict: (query, known) =>
      explained(async () => {
        const input = withLayersThatFit(await inputFor(query, known));
        const settings = resolveSettings(input);
        const estimate = estimateMemory(input.shape, settings);
        const machine = memoryFor(query);
        const name = query.model ?? "";
        const { kvBytesPerToken } = estimate;
        const { assumption, ...curve } =
          parts.speed({ model: asItIs(query), shape: input.shape, settings, kvBytesPerToken }) ?? {};
        return {
          model: query.model,
          ...estimate,
          assumptions: [...estimate.assumptions, ...(assumption === undefined ? [] : [assumption])],
          fit: {
            ...fitEstimate(estimate, machine),
            largestContextThatFits: largestContextThatFits(input, machine),
          },
          calibratedResidentHostBytes:
            estimate.residentHostBytes === undefined || query.model === undefined
              ? undefined
              : Math.round(parts.calibrate(name, estimate.residentHostBytes)),
          ...curve,
          explanation: explainEstimate(input.shape, settings),
        };
      }),
    table: (query, known) =>
      explained(async () => {
        const input = await inputFor(query, known);
        const { engine } = resolveSettings(input);
        const usual = ["f16", "q8_0", "q4_0"].filter((type) => acceptedCacheTypes(engine).includes(type));
        return whatIfTable(
          input,
          {
            contexts: query.contexts ?? usualContexts(input.shape),
            kvCacheTypes: query.kvCacheTypes ?? usual,
            quantizations: query.quantizations,
          },
          { machine: memoryFor(query), speed: fullDepthSpeed(query) },
        );
      }),
  };
}

/** A model in another file type is another one: what was learned of the one that is here says nothing of it. */
function asItIs({ model, quantization, quantizations }: TableQuery): string | undefined {
  return quantization === undefined && quantizations === undefined ? model : undefined;
}

/** What the loaded runner was started with says nothing about a run with another context. */
export function runnerFor(query: SettingsQuery, settings: LoadedModel["settings"]): LoadedModel["settings"] {
  const asksOther =
    query.contextLength !== undefined ||
    query.totalContextLength !== undefined ||
    query.parallel !== undefined;
  return asksOther
    ? {
        ...settings,
        totalContextLength: undefined,
        contextLength: undefined,
        batch: undefined,
        ubatch: undefined,
      }
    : settings;
}

function usualContexts(shape: ModelShape): number[] {
  const longest = Math.min(shape.trainedContextLength ?? LONGEST_CONTEXT, LONGEST_CONTEXT);
  const contexts: number[] = [];
  for (let context = SHORTEST_CONTEXT; context < longest; context *= 2) {
    contexts.push(context);
  }
  return [...contexts, longest];
}

async function describe(query: PredictQuery, client: AskParts["client"]): Promise<KnownModel> {
  if (query.show !== undefined) {
    return readModel(query.show);
  }
  if (query.model === undefined) {
    throw new AskProblem(400, "bad-parameter", 'Name a "model", or send a saved /api/show answer as "show".');
  }
  return ask(query.model, client);
}

async function ask(model: string, client: AskParts["client"]): Promise<KnownModel> {
  const show = await client.show(model).catch(async (error: unknown) => {
    throw await whyNot(model, error, client);
  });
  if (show["remote_host"] !== undefined || show["remote_model"] !== undefined) {
    throw new AskProblem(
      400,
      "cloud-model",
      `"${model}" runs on another host: nothing of it lies in this machine's memory.`,
    );
  }
  return readModel(show);
}

async function whyNot(model: string, error: unknown, client: AskParts["client"]): Promise<Error> {
  if (!(error instanceof OllamaError) || error.status !== 404) {
    const text = error instanceof Error ? error.message : String(error);
    const fix = error instanceof OllamaError && error.fix !== undefined ? `. ${error.fix}` : "";
    return new AskProblem(503, "upstream-unreachable", text + fix);
  }
  const names = (await client.tags().catch(() => [])).map(({ name }) => name);
  const stem = model.toLowerCase().split(/[:/]/)[0] ?? "";
  const near = names.filter(
    (name) => name.toLowerCase().includes(stem) || stem.includes(name.split(":")[0] ?? name),
  );
  const listed = near.length > 0 ? near : names;
  const hint = listed.length === 0 ? "It has no models." : `It has ${listed.slice(0, 10).join(", ")}.`;
  return new AskProblem(404, "no-such-model", `Ollama has no model "${model.slice(0, 200)}". ${hint}`);
}

/** Settings and metadata that cannot be are the asker's to mend. */
async function explained<Answer>(answer: () => Promise<Answer>): Promise<Answer> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof SettingsProblem) {
      throw new AskProblem(400, "bad-parameter", error.message);
    }
    if (error instanceof ShapeProblem) {
      throw new AskProblem(400, error.code, error.message);
    }
    throw error;
  }
}
