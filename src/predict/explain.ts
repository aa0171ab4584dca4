import type { ExplainLine, Provenance, Split } from "../types.ts";
import { cacheType } from "./cacheTypes.ts";
import { cacheCells } from "./cells.ts";
import { estimateMemory } from "./estimate.ts";
import type { EstimateSettings } from "./estimateSettings.ts";
import { countText } from "./figureText.ts";
import { rowBytes } from "./ggmlTypes.ts";
import type { AttentionShape, ModelShape, RecurrentShape } from "./modelShape.ts";
import { splitTotal } from "./split.ts";
import { weightParts, type WeightParts } from "./weights.ts";

/**
 * The estimate as a sum: the lines add up to the last one, `total`, when weights and vocabulary are known.
 * A draft model's parts are not listed apart.
 */
export function explainEstimate(shape: ModelShape, settings: EstimateSettings): ExplainLine[] {
  const own = { ...settings, draft: undefined };
  const estimate = estimateMemory(shape, own);
  const lines = [
    ...weightLines(shape, own),
    ...cacheLines(shape, own),
    ...stateLines(shape, own),
    ...computeLines(shape, own, estimate.computeBytes),
    ...optional(
      "output",
      `logits: 4 · ${shape.vocabularySize ?? 0} · ${countText(settings.parallel, "slot")}`,
      estimate.outputBytes,
    ),
    ...optional("process", processFormula(shape, settings), estimate.processBytes),
  ];
  const sum = lines.reduce((total, { bytes }) => total + bytes, 0);
  const total = line(
    "total",
    estimate.totalBytes === undefined ? "known parts only" : "sum of the above",
    sum,
  );
  return [...lines, total];
}

function line(
  label: string,
  formula: string,
  bytes: number,
  provenance: Provenance = "derived",
): ExplainLine {
  return { label, formula, bytes, provenance };
}

function optional(label: string, formula: string, bytes: number | undefined): ExplainLine[] {
  return bytes === undefined
    ? []
    : [line(label, formula, bytes, label === "process" ? "predicted" : "derived")];
}

const WEIGHT_WORDS: Readonly<Record<keyof WeightParts, string>> = {
  input: "embeddings, looked up on the host",
  repeating: "tensors of the layers",
  output: "output norm and head",
  copy: "second copy of the tied embedding",
  repacked: "added by the CPU's own layout of the matrices",
  projector: "projector",
};

function weightLines(shape: ModelShape, settings: EstimateSettings): ExplainLine[] {
  const parts = weightParts(shape, settings);
  if (parts === undefined) return [];
  return (Object.keys(WEIGHT_WORDS) as (keyof WeightParts)[])
    .filter((name) => splitTotal(parts[name]) > 0)
    .map((name) =>
      line(`weights: ${name}`, `${WEIGHT_WORDS[name]}${placeWords(parts[name])}`, splitTotal(parts[name])),
    );
}

function placeWords({ hostBytes, deviceBytes }: Split): string {
  if (hostBytes > 0 && deviceBytes > 0)
    return `, ${hostBytes} bytes on the host, ${deviceBytes} on the device`;
  return deviceBytes > 0 ? ", on the device" : "";
}

/** One line for all layers whose cells are alike. */
function cacheLines(shape: ModelShape, settings: EstimateSettings): ExplainLine[] {
  if (shape.encoder) return [];
  const cells = cacheCells(shape, settings);
  const widest = shape.layers.reduce(
    (width, { attention }) => Math.max(width, attention?.valueWidth ?? 0),
    0,
  );
  const groups = new Map<string, { attention: AttentionShape; count: number }>();
  for (const { attention } of shape.layers) {
    if (attention === undefined || attention.sharesCache) continue;
    const key = `${attention.sliding} ${attention.keyWidth} ${attention.valueWidth} ${attention.compressRatio}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { attention, count: 1 });
    else group.count += 1;
  }
  return [...groups.values()].flatMap(({ attention, count }) => {
    const kept = attention.sliding ? cells.sliding : cells.full;
    const keys = rowBytes(cacheType(settings.kvCacheTypeK), attention.keyWidth);
    const width = settings.flashAttention || attention.valueWidth === 0 ? attention.valueWidth : widest;
    const values = rowBytes(cacheType(settings.kvCacheTypeV), width);
    const kind = attention.sliding ? "sliding" : "full";
    const formula = `${count} layers · ${kept} cells · (${keys} K + ${values} V bytes) · ${countText(cells.streams, "stream")}`;
    return [
      line(`cache: ${kind}`, formula, count * kept * (keys + values) * cells.streams),
      ...besideLines(attention, settings, { count, cells: cells.full, streams: cells.streams }),
    ];
  });
}

function besideLines(
  attention: AttentionShape,
  settings: EstimateSettings,
  group: { count: number; cells: number; streams: number },
): ExplainLine[] {
  const keys = cacheType(settings.kvCacheTypeK);
  const ratio = attention.compressRatio ?? 1;
  const width =
    (attention.indexerWidth ?? 0) + (attention.compressRatio === undefined ? 0 : attention.keyWidth);
  if (width === 0) return [];
  const row =
    rowBytes(keys, attention.indexerWidth ?? 0) +
    (attention.compressRatio === undefined ? 0 : rowBytes(keys, attention.keyWidth));
  const cells = Math.ceil(group.cells / ratio);
  const formula = `${group.count} layers · ${cells} cells · ${row} bytes · ${countText(group.streams, "stream")}`;
  return [line("cache: indexer", formula, group.count * cells * row * group.streams)];
}

function stateLines(shape: ModelShape, settings: EstimateSettings): ExplainLine[] {
  const states = shape.layers.flatMap(({ recurrent }): RecurrentShape[] =>
    recurrent === undefined ? [] : [recurrent],
  );
  const first = states[0];
  if (first === undefined) return [];
  const rows = settings.parallel * (1 + settings.rollbackStates);
  const elements = states.reduce((sum, state) => sum + state.convolutionElements + state.stateElements, 0);
  const formula = `${states.length} layers · 4 · (${first.convolutionElements} + ${first.stateElements} elements) · ${rows} states`;
  return [line("state: recurrent", formula, rows * 4 * elements)];
}

function computeLines(shape: ModelShape, settings: EstimateSettings, compute: Split): ExplainLine[] {
  const how = `graph of ${settings.ubatch} tokens, flash attention ${settings.flashAttention ? "on" : "off"}`;
  const attends = shape.layers.some(({ attention }) => attention !== undefined);
  const mask = attends ? `, masks of 2 · ${settings.ubatch} · cells among it` : "";
  return [
    { label: "compute: host", bytes: compute.hostBytes },
    { label: "compute: device", bytes: compute.deviceBytes },
  ]
    .filter(({ bytes }) => bytes > 0)
    .map(({ label, bytes }) => line(label, `${how}, planned as ggml plans it${mask}`, bytes, "predicted"));
}

function processFormula(shape: ModelShape, settings: EstimateSettings): string {
  const merges = shape.mergeCount === undefined ? "" : ` and ${shape.mergeCount} merges`;
  return `${settings.engine} itself, and tables for ${shape.vocabularySize ?? 0} tokens${merges} (as measured)`;
}
