import type { ShapeSource } from "./shapeSource.ts";
import type { AttentionShape, LatentShape } from "./modelShape.ts";
import type { LayerTensors } from "./shapeTensors.ts";
import { slidingLayers, windowLength } from "./shapeWindows.ts";

type HeadLengths = Pick<AttentionShape, "keyLength" | "valueLength">;
type CacheWidths = Pick<AttentionShape, "keyWidth" | "valueWidth"> & { fused: boolean; latent?: LatentShape };

/**
 * Attention of every layer; `undefined` where a layer has none. The tensor list decides where there is one, because
 * `/api/show` hides the per-layer arrays exactly for the models whose layers differ.
 */
export function attentionLayers(source: ShapeSource): (AttentionShape | undefined)[] {
  const slides = slidingLayers(source);
  return source.layerNumbers.map((layer) => attentionOf(source, layer, slides(layer)));
}

function attentionOf(source: ShapeSource, layer: number, sliding: boolean): AttentionShape | undefined {
  const { metadata, rule } = source;
  const lengths = headLengths(source, layer, sliding);
  const tensors = source.tensors?.layer(layer);
  const headCount =
    metadata.perLayer("attention.head_count")?.(layer) ?? listedHeadCount(tensors, lengths.valueLength);
  const widths =
    tensors === undefined || tensors.size === 0
      ? widthsFromMetadata(source, layer, lengths)
      : widthsFromTensors(source, tensors, { headCount, ...lengths });
  if (widths === undefined) return undefined;
  return {
    headCount,
    ...lengths,
    ...widths,
    sliding,
    sharesCache: layer >= ownCacheCount(source),
    turned: isTurned(source, sliding),
    gated: isGated(source, tensors, headCount * lengths.keyLength),
    ...(rule?.indexer === true
      ? { indexerWidth: metadata.count("attention.indexer.key_length") ?? 128 }
      : {}),
    ...compression(source, layer),
  };
}

/** Layers before this one keep a cache; later ones read theirs. */
function ownCacheCount(source: ShapeSource): number {
  const shared = source.metadata.count("attention.shared_kv_layers");
  if (source.rule?.ownCaches !== undefined) return source.rule.ownCaches;
  return shared === undefined ? source.layerNumbers.length : Math.max(0, source.layerNumbers.length - shared);
}

/** Heads of a layer whose number is hidden: as many as their outputs fill the last projection. */
function listedHeadCount(tensors: LayerTensors | undefined, valueLength: number): number {
  const width = tensors?.get("attn_output.weight")?.[0] ?? 0;
  return valueLength === 0 ? 0 : Math.floor(width / valueLength);
}

function headLengths(source: ShapeSource, layer: number, sliding: boolean): HeadLengths {
  const { metadata } = source;
  const heads = metadata.perLayer("attention.head_count")?.(0) ?? 0;
  const plain =
    heads > 0
      ? Math.floor((source.embeddingLength ?? 0) / heads)
      : (metadata.count("rope.dimension_count") ?? 0);
  const ofKind = (name: string): number | undefined =>
    (sliding ? metadata.perLayer(`attention.${name}_swa`)?.(layer) : undefined) ??
    metadata.perLayer(`attention.${name}`)?.(layer);
  // Latent attention: the unprefixed lengths are those of the compressed form.
  const perHead = (name: string): number | undefined =>
    source.swapsLatentLengths ? undefined : metadata.count(`attention.${name}_mla`);
  return {
    keyLength: perHead("key_length") ?? ofKind("key_length") ?? plain,
    valueLength: perHead("value_length") ?? ofKind("value_length") ?? plain,
  };
}

function widthsFromMetadata(
  source: ShapeSource,
  layer: number,
  lengths: HeadLengths,
): CacheWidths | undefined {
  const { metadata } = source;
  const keyHeads = metadata.perLayer("attention.head_count_kv") ?? metadata.perLayer("attention.head_count");
  const heads = keyHeads?.(layer) ?? 0;
  if (heads === 0) return undefined;
  if (source.isRecurrentOnly(layer)) return undefined;
  const latent = latentFromMetadata(source);
  if (latent?.absorbed === true) {
    return { keyWidth: latent.rank + latent.ropeLength, valueWidth: 0, fused: false, latent };
  }
  return {
    keyWidth: heads * lengths.keyLength,
    valueWidth: heads * lengths.valueLength,
    fused: FUSED.has(source.architecture),
    ...(latent === undefined ? {} : { latent }),
  };
}

function latentFromMetadata({ metadata, swapsLatentLengths }: ShapeSource): LatentShape | undefined {
  const rank = metadata.count("attention.kv_lora_rank");
  if (rank === undefined || rank === 0) return undefined;
  const absorbed = metadata.count("attention.key_length_mla") !== undefined || swapsLatentLengths;
  const compressed = metadata.count("attention.key_length") ?? 0;
  const ropeLength =
    metadata.count("rope.dimension_count") ?? (absorbed && compressed > rank ? compressed - rank : 64);
  return { absorbed, rank, ropeLength, queryRank: metadata.count("attention.q_lora_rank") };
}

/** Widths of keys and values from the shapes of the projections that make them. */
function widthsFromTensors(
  source: ShapeSource,
  tensors: LayerTensors,
  heads: HeadLengths & { headCount: number },
): CacheWidths | undefined {
  const latent = tensors.get("attn_kv_a_mqa.weight")?.[1];
  if (latent !== undefined) return latentWidths(source, tensors, { ...heads, compressed: latent });
  const key = tensors.get("attn_k.weight")?.[1];
  if (key !== undefined) {
    // Without a value projection the keys serve as values (Gemma 4).
    return { keyWidth: key, valueWidth: tensors.get("attn_v.weight")?.[1] ?? key, fused: false };
  }
  // Beside a convolution, `attn_qkv` is the projection of linear attention and fills no cache.
  const fused = tensors.has("ssm_conv1d.weight") ? undefined : tensors.get("attn_qkv.weight")?.[1];
  const query = tensors.get("attn_output.weight")?.[0];
  if (fused !== undefined && query !== undefined && fused > query) {
    const width = Math.floor((fused - query) / 2);
    return { keyWidth: width, valueWidth: width, fused: true };
  }
  return isReader(source, tensors) ? { keyWidth: 0, valueWidth: 0, fused: false } : undefined;
}

/** A layer with queries and no keys reads another layer's cache. */
function isReader(source: ShapeSource, tensors: LayerTensors): boolean {
  return source.metadata.count("attention.shared_kv_layers") !== undefined && tensors.has("attn_q.weight");
}

function latentWidths(
  source: ShapeSource,
  tensors: LayerTensors,
  heads: HeadLengths & { headCount: number; compressed: number },
): CacheWidths {
  const absorbed = tensors.has("attn_k_b.weight");
  const known = latentFromMetadata(source);
  const rank = known?.rank ?? tensors.get("attn_kv_a_norm.weight")?.[0] ?? heads.compressed;
  const latent: LatentShape = {
    absorbed,
    rank,
    ropeLength: Math.max(0, heads.compressed - rank),
    queryRank: tensors.get("attn_q_a.weight")?.[1],
  };
  return absorbed
    ? { keyWidth: heads.compressed, valueWidth: 0, fused: false, latent }
    : {
        keyWidth: heads.headCount * heads.keyLength,
        valueWidth: heads.headCount * heads.valueLength,
        fused: false,
        latent,
      };
}

/** Qwen3-Next and its kin: the query projection yields a gate as wide as the query. */
function isGated(source: ShapeSource, tensors: LayerTensors | undefined, queryWidth: number): boolean {
  const projected = tensors?.get("attn_q.weight")?.[1];
  if (projected === undefined) return GATED.has(source.architecture);
  return queryWidth > 0 && projected === 2 * queryWidth;
}

const GATED: ReadonlySet<string> = new Set(["qwen3next", "qwen35", "qwen35moe"]);
function isTurned(source: ShapeSource, sliding: boolean): boolean {
  const { architecture } = source;
  if (UNTURNED.has(architecture)) return false;
  return sliding || !TURNED_IN_WINDOWS.has(architecture) || windowLength(source) === undefined;
}

const TURNED_IN_WINDOWS: ReadonlySet<string> = new Set(["cohere2", "cohere2moe"]);
/** Positions come in another way, or not at all. */
const UNTURNED: ReadonlySet<string> = new Set("jamba nemotron_h gpt2 mpt bloom starcoder jais".split(" "));
/** One projection for query, key and value, where only metadata is known. */
const FUSED: ReadonlySet<string> = new Set(
  "phi2 phi3 gpt2 gptneox falcon bloom mpt starcoder codeshell dbrx chatglm jais qwen plamo3".split(" "),
);

function compression(source: ShapeSource, layer: number): { compressRatio?: number } {
  if (source.architecture !== "deepseek4") return {};
  const ratio = source.metadata.perLayer("attention.compress_ratios")?.(layer) ?? 4;
  return ratio > 0 ? { compressRatio: ratio } : {};
}
