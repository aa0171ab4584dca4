/** Where layers are computed: what holds, and where it comes from. */
import type { Backend } from "./estimateSettings.ts";
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

/** Where layers are computed: the machine asked about, else this one. */
export function chooseBackend(input: SettingsInput): Chosen<Backend> {
  const machine = input.backend;
  const offloads = (input.runner?.offloadedLayers ?? 0) > 0;
  return (
    asked(input.query?.backend) ??
    (machine === undefined ? undefined : derived(machine, "what this machine has")) ??
    (offloads || (input.vramBytes ?? 0) > 0
      ? derived<Backend>("cuda", "there is graphics memory")
      : byDefault<Backend>("cpu", "no graphics card is known"))
  );
}

/** Layers on the device, the output counted as one; without a number all of them. */
export function chooseOffload(input: SettingsInput, backend: Backend): Chosen<number> {
  const all = input.shape.layers.length + 1;
  if (backend === "cpu") return derived(0, "nothing to offload to");
  const said = firstOf(
    asked(input.query?.offloadedLayers),
    fromRunner(input.runner?.offloadedLayers),
    fromEnvironment(
      environmentCount(input.environment?.["LLAMA_ARG_N_GPU_LAYERS"]),
      "LLAMA_ARG_N_GPU_LAYERS",
    ),
  );
  if (said === undefined) {
    return input.layersThatFit === undefined
      ? byDefault(all, "all layers, when they fit")
      : derived(input.layersThatFit, `of ${all}: what fits into the graphics memory that is free`);
  }
  return said.value <= all
    ? said
    : { ...said, value: all, source: `${said.source}, of which the model has ${all}` };
}

/** Ollama reads the file into memory on a CPU, and on Metal when a part stays on the CPU; else it maps it. */
export function chooseMmap(
  input: SettingsInput,
  place: { backend: Backend; offloadedLayers: number },
): Chosen<boolean> {
  const said = firstOf(asked(input.query?.mmap), fromRunner(input.runner?.mmap));
  if (said !== undefined) return said;
  if (place.backend === "cpu") return byDefault(false, "Ollama's default on a CPU");
  const partly = place.offloadedLayers <= input.shape.layers.length;
  return place.backend === "metal" && partly
    ? byDefault(false, "Ollama's default on Metal with layers on the CPU")
    : byDefault(true, "llama-server's default");
}
