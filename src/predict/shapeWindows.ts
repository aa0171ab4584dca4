import type { ShapeSource } from "./shapeSource.ts";

/**
 * Which layers look back over a window only. `set_swa_pattern` of llama.cpp: layer l slides iff the period is 0 or
 * l mod period lies before the last of its group (or after the first, where the dense layer leads).
 */
export function slidingLayers(source: ShapeSource): (layer: number) => boolean {
  const rule = source.rule?.slides;
  if (rule === undefined || windowLength(source) === undefined) return () => false;
  if (rule.period === "all") return () => true;
  const pattern = "attention.sliding_window_pattern";
  const flags = source.metadata.isArray(pattern) ? source.metadata.perLayer(pattern) : undefined;
  if (flags !== undefined) return (layer) => flags(layer) > 0;
  const period = source.metadata.count(pattern) ?? rule.period;
  if (typeof period !== "number") return guessedFromHeads(source);
  if (period === 0) return () => true;
  return rule.denseFirst === true ? (layer) => layer % period !== 0 : (layer) => layer % period < period - 1;
}

/** Tokens a sliding layer sees; absent when nothing slides. */
export function windowLength(source: ShapeSource): number | undefined {
  const rule = source.rule?.slides;
  if (rule === undefined) return undefined;
  const stated = source.metadata.count("attention.sliding_window");
  if (stated !== undefined) return stated > 0 ? fixedWindow(source, stated) : undefined;
  if (rule.layerCount !== undefined && rule.layerCount !== source.layerNumbers.length) return undefined;
  return rule.window;
}

/** Two architectures take a positive number for a yes. */
function fixedWindow(source: ShapeSource, stated: number): number {
  return FIXED_WINDOWS.get(source.architecture) ?? stated;
}

const FIXED_WINDOWS: ReadonlyMap<string, number> = new Map([
  ["llama4", 8192],
  ["smallthinker", 4096],
]);

/**
 * The flags are hidden: sliding layers have heads of their own length, which their norms show, or another number of
 * them, and there are more of them than of the others.
 */
function guessedFromHeads(source: ShapeSource): (layer: number) => boolean {
  const { metadata, tensors } = source;
  const sliding = metadata.count("attention.key_length_swa");
  if (sliding !== undefined && sliding !== metadata.count("attention.key_length") && tensors !== undefined) {
    return (layer) => tensors.layer(layer).get("attn_q_norm.weight")?.[0] === sliding;
  }
  const usual = usualProjections(source);
  if (usual !== undefined) {
    metadata.remarks.push(
      "which layers slide is not said: those whose heads are as in most layers are taken to (ask /api/show with verbose)",
    );
    return (layer) => projectionsOf(source, layer) === usual;
  }
  metadata.remarks.push(
    "which layers slide is not said: every layer is taken to keep the whole context, an upper bound (ask /api/show with verbose)",
  );
  return () => false;
}

/** The shape of queries and keys that most layers have, where there are just two and they do not part the layers evenly. */
function usualProjections(source: ShapeSource): string | undefined {
  const counts = new Map<string, number>();
  for (const layer of source.layerNumbers) {
    const projections = projectionsOf(source, layer);
    counts.set(projections, (counts.get(projections) ?? 0) + 1);
  }
  const [most, other] = [...counts].toSorted(([, left], [, right]) => right - left);
  return most !== undefined && other !== undefined && counts.size === 2 && most[1] > other[1]
    ? most[0]
    : undefined;
}

function projectionsOf({ tensors }: ShapeSource, layer: number): string {
  const listed = tensors?.layer(layer);
  return [listed?.get("attn_q.weight")?.[1], listed?.get("attn_k.weight")?.[1]].join(" ");
}
