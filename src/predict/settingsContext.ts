/** Slots and context: what holds, and where it comes from. */
import type { ModelShape } from "./modelShape.ts";
import { isAtLeast, type OllamaVersion } from "./ollamaVersion.ts";
import {
  asked,
  byDefault,
  derived,
  environmentCount,
  firstOf,
  fromEnvironment,
  fromRunner,
  type Chosen,
  type SettingsInput,
} from "./settingsSource.ts";
import { SINGLE_SLOT_FAMILIES } from "./shapeArchitectures.ts";

const GIBIBYTE = 1024 ** 3;
const SHORTEST = 4;
/** Ollama raises the context of models that see to this. */
const SHORTEST_WITH_IMAGES = 2048;

/** In tokens, which are cells of the cache. */
export interface ContextChoice {
  total: Chosen<number>;
  perSlot: Chosen<number>;
  /** Sentences about what was clipped or is out of the ordinary. */
  notes: string[];
}

/** Slots: asked, started with, set, or Ollama's default; some families get one whatever was set. */
export function chooseParallel(input: SettingsInput, version: OllamaVersion | undefined): Chosen<number> {
  const set = fromEnvironment(
    environmentCount(input.environment?.["OLLAMA_NUM_PARALLEL"]),
    "OLLAMA_NUM_PARALLEL",
  );
  const said = firstOf(asked(input.query?.parallel), fromRunner(input.runner?.parallel));
  if (said !== undefined) return said;
  if (input.shape.embedding) return byDefault(1, "Ollama gives embedding models one slot");
  if (SINGLE_SLOT_FAMILIES.has(input.shape.family)) return byDefault(1, "Ollama gives this family one slot");
  return (
    set ??
    (isAtLeast(version, 10)
      ? byDefault(1, "Ollama's default")
      : byDefault(2, "Ollama's default before v0.10"))
  );
}

/** The context of one slot and of all, in Ollama's order: asked, running, the model's own, the server's, automatic. */
export function chooseContext(
  input: SettingsInput,
  parallel: number,
  version: OllamaVersion | undefined,
): ContextChoice {
  const notes: string[] = [];
  const total = firstOf(
    input.query?.contextLength === undefined ? asked(input.query?.totalContextLength) : undefined,
    input.query?.contextLength === undefined ? fromRunner(input.runner?.totalContextLength) : undefined,
  );
  if (total !== undefined) {
    const trained = input.shape.trainedContextLength;
    const perSlot = Math.max(1, Math.floor(total.value / (input.query?.unifiedKv === true ? 1 : parallel)));
    if (trained !== undefined && perSlot > trained) {
      notes.push(
        `context of a slot is ${perSlot}, the model was trained for ${trained}: not clipped, only noted`,
      );
    }
    return {
      total,
      perSlot: derived(
        perSlot,
        parallel === 1 ? "of its one slot" : `of ${total.value} over ${parallel} slots`,
      ),
      notes,
    };
  }
  const perSlot = clipped(input.shape, perSlotContext(input, version), notes);
  return {
    perSlot,
    total: derived(
      perSlot.value * parallel,
      parallel === 1 ? "of its one slot" : `${perSlot.value} for each of ${parallel} slots`,
    ),
    notes,
  };
}

function perSlotContext(input: SettingsInput, version: OllamaVersion | undefined): Chosen<number> {
  return (
    firstOf(
      asked(input.query?.contextLength),
      fromRunner(input.runner?.contextLength),
      // What is loaded tells more than the server's setting, which a request may have overridden.
      input.ps?.contextLength === undefined
        ? undefined
        : { value: input.ps.contextLength, provenance: "measured", source: "from /api/ps" },
      fromEnvironment(modelContext(input.modelParameters), "the model's own parameters"),
      fromEnvironment(
        environmentCount(input.environment?.["OLLAMA_CONTEXT_LENGTH"]),
        "OLLAMA_CONTEXT_LENGTH",
      ),
    ) ?? automaticContext(input.vramBytes ?? 0, version)
  );
}

/** Since v0.15.5 by the memory of all graphics cards together; before it was 4096. */
function automaticContext(vramBytes: number, version: OllamaVersion | undefined): Chosen<number> {
  if (!isAtLeast(version, 15, 5)) return byDefault(4096, "Ollama's default");
  const tier = vramBytes >= 47 * GIBIBYTE ? 262_144 : vramBytes >= 23 * GIBIBYTE ? 32_768 : 4096;
  return byDefault(
    tier,
    vramBytes === 0
      ? "Ollama's default without a graphics card"
      : `Ollama's default with ${(vramBytes / GIBIBYTE).toFixed(1)} GiB of graphics memory`,
  );
}

function modelContext(parameters: string | undefined): number | undefined {
  return environmentCount(/^num_ctx\s+(\d+)\s*$/m.exec(parameters ?? "")?.[1]);
}

function clipped(shape: ModelShape, context: Chosen<number>, notes: string[]): Chosen<number> {
  const shortest = shape.projector ? SHORTEST_WITH_IMAGES : SHORTEST;
  const raised = Math.max(shortest, context.value);
  if (raised !== context.value)
    notes.push(`context ${context.value} is raised to ${raised}, the least Ollama loads`);
  const trained = shape.trainedContextLength;
  if (trained === undefined || raised <= trained) return { ...context, value: raised };
  notes.push(`context ${raised} is clipped to ${trained}, what the model was trained for, as Ollama does`);
  return derived(trained, `${raised} ${context.source}, clipped to the trained length`);
}
