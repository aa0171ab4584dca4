/** Where the weights of a load lie, and what of them each token reads. */
import type { Split } from "../types.ts";
import type { EstimateSettings } from "./estimateSettings.ts";
import type { ModelShape, WeightShape } from "./modelShape.ts";
import { placeLayers, type Placement } from "./placement.ts";
import { repackedBytes, type CpuKind } from "./repack.ts";
import { splitOf } from "./split.ts";

/** Where the weights lie, part by part. */
export interface WeightParts {
  /** Token, position and per-layer embeddings: always on the host. */
  input: Split;
  repeating: Split;
  output: Split;
  /** The second copy of a tied embedding. */
  copy: Split;
  /** What a CPU's own layout of the matrices adds. */
  repacked: Split;
  projector: Split;
}

type PlaceSettings = Pick<EstimateSettings, "backend" | "engine" | "offloadedLayers"> & { cpu?: CpuKind };

/** Weights by place; undefined without a tensor list. */
export function weightParts(shape: ModelShape, settings: PlaceSettings): WeightParts | undefined {
  const { weights } = shape;
  if (weights === undefined) return undefined;
  const placement = placeLayers(shape.layers.length, settings);
  const placed = (bytes: number, onDevice: boolean): Split =>
    splitOf(onDevice ? 0 : bytes, onDevice ? bytes : 0);
  return {
    input: splitOf(weights.inputBytes, 0),
    repeating: repeatingLayers(weights, placement),
    output: placed(weights.outputBytes + weights.predictionBytes, placement.outputOnDevice),
    copy: placed(copiedBytes(shape, settings, placement), placement.outputOnDevice),
    repacked: splitOf(rewrites(settings) ? repackedBytes(shape, settings.cpu ?? "x86") : 0, 0),
    projector: placed(weights.projectorBytes, settings.backend !== "cpu" && settings.offloadedLayers > 0),
  };
}

/** Ollama's engines before llama-server computed with the weights as they lie in the file. */
function rewrites({ backend, engine }: PlaceSettings): boolean {
  return backend === "cpu" && engine === "llama-server";
}

/** Everything that a load maps or allocates for weights. */
export function sumWeightParts(parts: WeightParts): Split {
  const all = Object.values(parts) as Split[];
  return splitOf(
    all.reduce((sum, part) => sum + part.hostBytes, 0),
    all.reduce((sum, part) => sum + part.deviceBytes, 0),
  );
}

function repeatingLayers(weights: WeightShape, placement: Placement): Split {
  let [host, device] = [0, 0];
  weights.layers.forEach(({ bytes }, layer) => {
    if (placement.onDevice(layer)) device += bytes;
    else host += bytes;
  });
  return splitOf(host, device);
}

/**
 * A tied embedding is looked up on the host and multiplied with where the output is: on a device that takes a copy.
 * Ollama's own engine always makes one.
 */
function copiedBytes(shape: ModelShape, settings: PlaceSettings, placement: Placement): number {
  if (shape.weights === undefined || !isTied(shape)) return 0;
  const copies = placement.outputOnDevice || settings.engine === "ollama";
  return copies ? shape.weights.tokenEmbeddingBytes : 0;
}

/** An encoder has no output head, so nothing is read or copied in its place. */
function isTied(shape: ModelShape): boolean {
  return shape.weights?.tied === true && !shape.encoder;
}

/** Bytes read to make one token with an empty context, by place: what decode speed is bound by. */
export function readBytesPerToken(shape: ModelShape, settings: PlaceSettings): Split | undefined {
  const { weights } = shape;
  if (weights === undefined) return undefined;
  const placement = placeLayers(shape.layers.length, settings);
  let [host, device] = [0, 0];
  weights.layers.forEach(({ bytes, expertBytes }, layer) => {
    const experts = shape.layers[layer]?.feedForward?.experts;
    const idle =
      experts === undefined || experts.count === 0 ? 0 : 1 - Math.min(1, experts.used / experts.count);
    const read = bytes - expertBytes * idle;
    if (placement.onDevice(layer)) device += read;
    else host += read;
  });
  // A tied embedding is read whole as the output; an untied one is looked up row by row.
  const head = weights.outputBytes + (isTied(shape) ? weights.tokenEmbeddingBytes : 0);
  if (placement.outputOnDevice) device += head;
  else host += head;
  return splitOf(host, device);
}
