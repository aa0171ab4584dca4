/** Which type each tensor gets in a file type, by llama-quantize's rules. */
import type { FileType } from "./fileTypes.ts";
import { ggmlTypeNamed } from "./ggmlTypes.ts";
import type { TensorShape } from "./modelShape.ts";

/** What the type of one tensor depends on besides its name. */
export interface Neighbours {
  /** Name without the layer's prefix. */
  kind: string;
  /** How many of this kind came before. */
  index: number;
  layerCount: number;
  valueCount: number;
  queriesPerKey: number;
  expertCount: number;
  /** The model has an output head of its own. */
  hasOutput: boolean;
  isLlama70: boolean;
}

/** Small or sensitive tensors that llama-quantize leaves as they are. */
const LEFT_ALONE =
  /norm|ffn_gate_inp|position_embd|token_types|ssm_conv1d|shortconv\.conv|altup|laurel|per_layer_model_proj|time_mix_(w|a|v|g|first|decay|lerp)|attn_rel_b|sinks/;

/** Type a file type gives to a tensor: llama-quantize's rules without an importance matrix. */
export function quantizedType(tensor: TensorShape, fileType: FileType, near: Neighbours): string {
  if (!isQuantized(tensor)) return tensor.type;
  if (fileType.name === "MXFP4_MOE") return fitting(/_exps\./.test(tensor.name) ? "MXFP4" : "Q8_0", tensor);
  return fitting(mixedType(fileType, near), tensor);
}

function isQuantized(tensor: TensorShape): boolean {
  const matrix = tensor.dimensions.filter((size) => size > 1).length > 1;
  return matrix && tensor.name.endsWith(".weight") && !LEFT_ALONE.test(tensor.name);
}

function mixedType(fileType: FileType, near: Neighbours): string {
  const { name, base } = fileType;
  if (!/K|IQ|Q4_0|Q4_1/.test(name)) return base;
  const kind = near.kind;
  if (kind === "output.weight" || (kind === "token_embd.weight" && !near.hasOutput)) {
    return base === "Q8_0" ? base : "Q6_K";
  }
  if (holdsValues(kind)) return valueType(name, base, near);
  if (kind.startsWith("attn_k.") && near.expertCount === 8) return "Q8_0";
  if (kind.startsWith("ffn_down")) return downType(name, base, near);
  if (kind.startsWith("attn_output.")) return outputType(name, base, near);
  return base;
}

/** The value projection, alone or fused with others: llama-quantize counts and treats them alike. */
export function holdsValues(kind: string): boolean {
  return /^attn_(v|qkv|kv_b)\.weight$/.test(kind);
}

/** First and last eighth and every third between. */
function usesMoreBits(index: number, count: number): boolean {
  const eighth = Math.floor(count / 8);
  return index < eighth || index >= Math.floor((7 * count) / 8) || (index - eighth) % 3 === 2;
}

function valueType(name: string, base: string, near: Neighbours): string {
  const { index, valueCount } = near;
  const grouped = near.queriesPerKey >= 4;
  let type = base;
  if (name === "Q2_K") type = grouped ? "Q4_K" : "Q3_K";
  else if (name === "Q3_K_M") type = index < 2 ? "Q5_K" : "Q4_K";
  else if (name === "Q3_K_L") type = "Q5_K";
  else if (base.startsWith("IQ4") && grouped) type = "Q5_K";
  else if (/^Q[45]_K_M$/.test(name) && usesMoreBits(index, valueCount)) type = "Q6_K";
  else if (name === "Q4_K_S" && index < 4) type = "Q5_K";
  // Eight query heads share one key head here, so more bits for it cost little.
  if (near.isLlama70 && (type === "Q3_K" || type === "Q4_K")) type = "Q5_K";
  return near.expertCount === 8 ? "Q8_0" : type;
}

function downType(name: string, base: string, near: Neighbours): string {
  const { index, layerCount } = near;
  if (name === "Q2_K") return "Q3_K";
  if (name === "Q3_K_M") return index < Math.floor(layerCount / 16) ? "Q5_K" : "Q4_K";
  if (name === "Q3_K_L") return "Q5_K";
  if (/^Q[45]_K_M$/.test(name) && usesMoreBits(index, layerCount)) return "Q6_K";
  const early = index < Math.floor(layerCount / 8);
  return early && (name === "Q4_K_S" || base.startsWith("IQ4")) ? "Q5_K" : base;
}

function outputType(name: string, base: string, near: Neighbours): string {
  if (near.expertCount === 8) return /^(Q2_K|Q3_K|Q4_K|IQ4)/.test(name) ? "Q5_K" : base;
  if (name === "Q2_K") return "Q3_K";
  if (name === "Q3_K_M") return "Q4_K";
  return name === "Q3_K_L" ? "Q5_K" : base;
}

const FALLBACKS: Readonly<Record<string, string>> = {
  Q2_K: "IQ4_NL",
  Q3_K: "IQ4_NL",
  IQ4_XS: "IQ4_NL",
  Q4_K: "Q5_0",
  Q5_K: "Q5_1",
  Q6_K: "Q8_0",
};

/** Rows that no whole number of blocks fills get a type with smaller blocks. */
function fitting(type: string, tensor: TensorShape): string {
  const row = tensor.dimensions[0] ?? 0;
  const fits = (name: string): boolean => row % (ggmlTypeNamed(name)?.blockElements ?? 1) === 0;
  if (fits(type)) return type;
  const smaller = FALLBACKS[type] ?? type;
  return fits(smaller) ? smaller : "F16";
}
