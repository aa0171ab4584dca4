import type { LayerShape, ModelShape, TensorShape } from "./modelShape.ts";
import { architectureRule, canonicalArchitecture } from "./shapeArchitectures.ts";
import { attentionLayers } from "./shapeAttention.ts";
import { feedForwardLayers } from "./shapeFeedForward.ts";
import { readMetadata, type Metadata } from "./shapeMetadata.ts";
import { ShapeProblem } from "./shapeProblem.ts";
import { recurrentByMetadata, recurrentLayers } from "./shapeRecurrent.ts";
import type { ShapeSource } from "./shapeSource.ts";
import { indexTensors, MOST_LAYERS, type TensorIndex } from "./shapeTensors.ts";
import { mergeCount, vocabularySize } from "./shapeTokenizer.ts";
import { windowLength } from "./shapeWindows.ts";
import { sumWeights } from "./shapeWeights.ts";

export interface ShapeParts {
  /** Key/value pairs of a GGUF header, or `model_info`. */
  info: Readonly<Record<string, unknown>>;
  /** Absent without a list, or when it was broken. */
  tensors?: readonly TensorShape[];
  /** Projector metadata was seen. */
  projector: boolean;
  remarks: string[];
}

/** Builds a shape from metadata, tensor list or both. Throws {@link ShapeProblem} when neither tells enough. */
export function buildShape(parts: ShapeParts): ModelShape {
  const declared = parts.info["general.architecture"];
  if (typeof declared !== "string" || declared === "") {
    throw new ShapeProblem(
      "no-architecture",
      "general.architecture is missing: without it no key of the metadata can be read",
    );
  }
  const metadata = readMetadata(parts.info, declared.slice(0, 64));
  const tensors = parts.tensors === undefined ? undefined : indexTensors(parts.tensors);
  const source = sourceOf(metadata, tensors);
  const own = layersOf(source);
  checkEnough(source, own);
  const layers = looped(own, metadata.count("num_loops"));
  const vocabulary = vocabularySize(parts.info, metadata, tensors);
  const weights =
    parts.tensors === undefined ? undefined : sumWeights(parts.tensors, own.length, metadata.remarks);
  return {
    architecture: source.architecture,
    family: metadata.declared,
    known: source.rule !== undefined,
    encoder: source.rule?.encoder === true,
    embedding: source.rule?.encoder === true || metadata.count("pooling_type") !== undefined,
    embeddingLength: source.embeddingLength,
    vocabularySize: vocabulary,
    mergeCount: mergeCount(parts.info, vocabulary),
    trainedContextLength: positive(metadata.count("context_length")),
    window: windowLength(source),
    deepstackLayerCount: positive(Math.min(own.length, metadata.count("n_deepstack_layers") ?? 0)),
    perLayerInputWidth: perLayerInputWidth(source),
    layers,
    graphLayers: withoutRepeats(layers),
    weights,
    tensors: weights === undefined ? undefined : parts.tensors,
    projector: parts.projector || (weights?.projectorBytes ?? 0) > 0,
    remarks: [
      ...parts.remarks,
      ...metadata.remarks,
      ...gaps(source, parts.projector && weights?.projectorBytes === 0),
    ],
  };
}

function sourceOf(metadata: Metadata, tensors: TensorIndex | undefined): ShapeSource {
  const architecture = actualArchitecture(metadata.declared, tensors);
  const partial = {
    architecture,
    rule: architectureRule(architecture),
    metadata,
    tensors,
    embeddingLength: positive(metadata.count("embedding_length")) ?? tensors?.find("token_embd.weight")?.[0],
    layerNumbers: Array.from({ length: layerCount(metadata, tensors) }, (_, layer) => layer),
    swapsLatentLengths: metadata.declared === "glm4moelite",
  };
  const carriesState = recurrentByMetadata(partial);
  const alsoAttends = partial.rule?.recurrent === "all" && architecture === "falcon-h1";
  return { ...partial, isRecurrentOnly: (layer) => !alsoAttends && carriesState(layer) };
}

function layersOf(source: ShapeSource): LayerShape[] {
  const attention = attentionLayers(source);
  const recurrent = recurrentLayers(source, recurrentByMetadata(source));
  const feedForward = feedForwardLayers(source);
  return source.layerNumbers.map((layer) => ({
    attention: attention[layer],
    recurrent: recurrent[layer],
    feedForward: feedForward[layer],
  }));
}

/** Layers that are run through several times, each time with a cache of its own (Nanbeige). */
function looped(layers: readonly LayerShape[], loops = 1): LayerShape[] {
  const times = Math.max(1, Math.min(loops, Math.floor(MOST_LAYERS / Math.max(1, layers.length))));
  return Array.from({ length: times }, () => layers).flat();
}

/**
 * Keeps a layer whose kind has not followed the kind before it twice already, and the last one. Where a layer is one
 * thing only, more of its neighbours matter, so the run up to the last new kind is kept whole.
 */
function withoutRepeats(layers: readonly LayerShape[]): readonly LayerShape[] {
  const kinds = layers.map((layer) => JSON.stringify(layer));
  const mixed = layers.every((layer) => layer.attention !== undefined || layer.recurrent !== undefined);
  const lastNew = kinds.findLastIndex((kind, index) => kinds.indexOf(kind) === index);
  const whole = mixed ? 0 : lastNew + 3;
  const seen = new Map<string, number>();
  return layers.filter((_, index) => {
    const pair = `${kinds[index - 1]} ${kinds[index]}`;
    const times = (seen.get(pair) ?? 0) + 1;
    seen.set(pair, times);
    return times <= 2 || index < whole || index === layers.length - 1;
  });
}

/** Ollama's embedding Gemma calls itself gemma3 and is known by its dense layers. */
function actualArchitecture(declared: string, tensors: TensorIndex | undefined): string {
  return declared === "gemma3" && tensors?.find("dense.0.weight") !== undefined
    ? "gemma-embedding"
    : canonicalArchitecture(declared);
}

/** Layers that are run: those for predicting several tokens at once live in a context of their own. */
function layerCount(metadata: Metadata, tensors: TensorIndex | undefined): number {
  const stated = metadata.count("block_count") ?? tensors?.layerCount;
  if (stated === undefined) {
    throw new ShapeProblem(
      "bad-metadata",
      `${metadata.declared}.block_count is missing or broken and there is no tensor list to count layers in`,
    );
  }
  if (stated > MOST_LAYERS) {
    throw new ShapeProblem(
      "bad-metadata",
      `${metadata.declared}.block_count is ${stated}: llama.cpp loads at most ${MOST_LAYERS} layers`,
    );
  }
  return Math.max(0, stated - (metadata.count("nextn_predict_layers") ?? 0));
}

/** Without a width for keys, values or states an estimate would silently say that the context costs nothing. */
function checkEnough(source: ShapeSource, layers: readonly LayerShape[]): void {
  if (source.rule?.encoder === true || layers.some(holdsSomething)) return;
  throw new ShapeProblem(
    "bad-metadata",
    `neither ${source.metadata.declared}.attention.* and .ssm.* nor a tensor list tell what a token occupies in memory`,
  );
}

function holdsSomething({ attention, recurrent }: LayerShape): boolean {
  const cached = attention === undefined ? 0 : attention.keyWidth + attention.valueWidth;
  const carried = recurrent === undefined ? 0 : recurrent.convolutionElements + recurrent.stateElements;
  return cached + carried > 0;
}

function perLayerInputWidth(source: ShapeSource): number | undefined {
  const listed = source.tensors?.find("per_layer_token_embd.weight")?.[0];
  const single = source.metadata.count("embedding_length_per_layer_input");
  if (listed !== undefined) return listed;
  if (source.architecture === "gemma3n") return 256 * source.layerNumbers.length;
  return single === undefined || single === 0 ? undefined : single * source.layerNumbers.length;
}

/** Keys that hold one value a layer where layers differ, and then come as null without `verbose`. */
const PER_LAYER = ["attention.head_count", "attention.head_count_kv", "feed_forward_length"];

function gaps(source: ShapeSource, projectorElsewhere: boolean): string[] {
  const found: string[] = [];
  if (source.rule === undefined) {
    found.push(
      `architecture ${source.architecture} is not known: every layer is taken to keep the whole context, an upper bound`,
    );
  }
  if (source.embeddingLength === undefined) {
    found.push("embedding_length is missing: the compute buffer comes out too small");
  }
  for (const key of source.tensors === undefined ? PER_LAYER : []) {
    if (!source.metadata.hidden(key)) continue;
    found.push(
      `${source.metadata.declared}.${key} is hidden and there is no tensor list: layers are taken to be alike (ask /api/show with verbose)`,
    );
  }
  if (source.rule?.encoder === true) {
    found.push("an encoder keeps no cache: its context costs nothing, its batch does");
  }
  if (projectorElsewhere) found.push("the projector lies in a file of its own and is not counted");
  return found;
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}
