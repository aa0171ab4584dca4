import type { ArchitectureRule } from "./shapeArchitectures.ts";
import type { Metadata } from "./shapeMetadata.ts";
import type { TensorIndex } from "./shapeTensors.ts";

/** What the parts of a shape are read from. */
export interface ShapeSource {
  architecture: string;
  /** Absent: an architecture we do not know. */
  rule: ArchitectureRule | undefined;
  metadata: Metadata;
  tensors: TensorIndex | undefined;
  embeddingLength: number | undefined;
  /** 0, 1, … for every layer that is run. */
  layerNumbers: readonly number[];
  /** GLM-4.7-Flash as Ollama packed it: the lengths with and without `_mla` have changed places. */
  swapsLatentLengths: boolean;
  /** By metadata alone: the layer carries a state and no attention. */
  isRecurrentOnly(layer: number): boolean;
}
