import { batch, computed, effect, signal } from "@preact/signals";
import { askEstimate, askTable, readModelNames } from "./apiWhatIf.ts";
import type { PredictAnswer, WhatIfCell } from "../src/types.ts";
import { health, models } from "./store.ts";
import { contextStops } from "./whatIf.ts";

/** What is asked in the What-if view, and the answers. */

export const kvTypes = ["f16", "q8_0", "q4_0"];
export const slotCounts = [1, 2, 4];
const quantizations = ["Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"];

export const names = signal<string[]>([]);
export const chosenModel = signal("");
export const kvType = signal("f16");
export const slots = signal(1);
export const context = signal(8192);

export const estimate = signal<PredictAnswer | undefined>(undefined);
/** By number of slots. */
export const table = signal<Map<number, WhatIfCell[]>>(new Map());
export const quantized = signal<WhatIfCell[]>([]);
export const others = signal<{ name: string; answer?: PredictAnswer }[]>([]);
export const problem = signal<string | undefined>(undefined);

const longest = computed(() =>
  Math.max(0, ...[...table.value.values()].flat().map((cell) => cell.contextLength)),
);
export const stops = computed(() => contextStops(longest.value || undefined));

const settleMs = 120;

/** Starts to answer what is chosen; ends with the function it gives back. */
export function openWhatIf(): () => void {
  // Again when Ollama begins to answer, or is gone.
  const stopNames = effect(() => {
    if (isKnown.value) void readNames(isReachable.value);
  });
  const stopEstimate = answering(
    () => ({
      model: chosenModel.value,
      contextLength: context.value,
      kvCacheTypeK: kvType.value,
      kvCacheTypeV: kvType.value,
      parallel: slots.value,
    }),
    async (query) => {
      const answer = await askEstimate(query);
      return () => (estimate.value = answer);
    },
  );
  const stopTable = answering(
    () => ({ model: chosenModel.value }),
    async (query) => {
      const cells = await Promise.all(
        slotCounts.map((parallel) => askTable({ ...query, parallel, kvCacheTypes: kvTypes })),
      );
      return () =>
        batch(() => {
          table.value = new Map(slotCounts.map((count, index) => [count, cells[index] ?? []]));
          // What is asked is what the knob shows: no model is given more than it was trained for.
          if (longest.value > 0) context.value = Math.min(context.peek(), longest.value);
        });
    },
  );
  const stopQuantized = answering(
    () => ({ model: chosenModel.value, contextLength: context.value, kvCacheType: kvType.value }),
    async ({ model, contextLength, kvCacheType }) => {
      const cells = await askTable({
        model,
        contexts: [contextLength],
        kvCacheTypes: [kvCacheType],
        quantizations,
      });
      return () => (quantized.value = cells);
    },
  );
  const stopOthers = answering(
    () => ({ model: names.value.join("\n"), contextLength: context.value, kvCacheType: kvType.value }),
    async ({ contextLength, kvCacheType }) => {
      const parts = { contextLength, kvCacheTypeK: kvCacheType, kvCacheTypeV: kvCacheType };
      const answers = await Promise.allSettled(
        names.value.slice(0, 20).map((model) => askEstimate({ model, ...parts })),
      );
      return () => {
        others.value = answers.map((answer, index) => ({
          name: names.value[index] ?? "",
          answer: answer.status === "fulfilled" ? answer.value : undefined,
        }));
      };
    },
  );
  return () => [stopNames, stopEstimate, stopTable, stopQuantized, stopOthers].forEach((stop) => stop());
}

/** Before that, which models are loaded is not known either. */
const isKnown = computed(() => health.value !== undefined);
const isReachable = computed(() => health.value?.upstream.reachable !== false);

async function readNames(reachable: boolean): Promise<void> {
  const loaded = models.peek().map(({ name }) => name);
  const installed = reachable ? await readModelNames().catch(() => undefined) : undefined;
  batch(() => {
    names.value = [...new Set([...loaded, ...(installed ?? [])])].toSorted();
    if (chosenModel.value === "") chosenModel.value = loaded[0] ?? names.value[0] ?? "";
    if (names.value.length > 0) problem.value = undefined;
    else if (installed === undefined)
      problem.value = "Which models there are is not known: Ollama does not answer.";
    else problem.value = "Ollama has no model yet: pull one (ollama pull gemma3), then come back.";
  });
}

/** Asks again whenever the question changes and has stood still for a moment; an answer that was overtaken is dropped. */
function answering<Question extends { model: string }>(
  question: () => Question,
  ask: (question: Question) => Promise<() => void>,
): () => void {
  let newest = 0;
  return effect(() => {
    const asked = question();
    newest += 1;
    const number = newest;
    if (asked.model === "") return;
    const timer = setTimeout(() => {
      ask(asked).then(
        (show) => {
          if (number !== newest) return;
          problem.value = undefined;
          show();
        },
        (error: unknown) => {
          if (number === newest) problem.value = error instanceof Error ? error.message : String(error);
        },
      );
    }, settleMs);
    return () => clearTimeout(timer);
  });
}
