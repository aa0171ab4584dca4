import { ggmlTypeNamed, rowBytes } from "./ggmlTypes.ts";
import type { TensorShape, WeightShape } from "./modelShape.ts";
import { layerOfTensor } from "./shapeTensors.ts";

/** Looked up row by row, so they stay in host memory whatever is offloaded. */
const INPUT = new Set([
  "token_embd.weight",
  "per_layer_token_embd.weight",
  "position_embd.weight",
  "token_types.weight",
]);
/** Vision and audio parts that Ollama keeps in the same file as the text model. */
const PROJECTOR = /^(v|a|s|mm|model\.vision_tower|vision|audio|projector)\./;
const EXPERTS = /_exps\./;

/** Bytes of one tensor: rows × bytes of a row. Undefined for a type that is not in our table. */
export function tensorBytes(tensor: TensorShape): number | undefined {
  const type = ggmlTypeNamed(tensor.type);
  const [row = 0, ...rest] = tensor.dimensions;
  return type === undefined ? undefined : rest.reduce((bytes, size) => bytes * size, rowBytes(type, row));
}

/** Sums a tensor list by where its parts may lie. Undefined, with a remark, when a type is unknown. */
export function sumWeights(
  tensors: readonly TensorShape[],
  layerCount: number,
  remarks: string[],
): WeightShape | undefined {
  const layers = Array.from({ length: layerCount }, () => ({ bytes: 0, expertBytes: 0 }));
  const sums = {
    inputBytes: 0,
    tokenEmbeddingBytes: 0,
    outputBytes: 0,
    projectorBytes: 0,
    predictionBytes: 0,
    totalBytes: 0,
  };
  let hasOutput = false;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    if (bytes === undefined) {
      remarks.push(`${tensor.name} has type ${tensor.type}, which is not known: weights are left out`);
      return undefined;
    }
    sums.totalBytes += bytes;
    const place = layerOfTensor(tensor.name);
    const layer = place === undefined ? undefined : layers[place.layer];
    if (layer !== undefined) {
      layer.bytes += bytes;
      if (EXPERTS.test(tensor.name)) layer.expertBytes += bytes;
    } else if (INPUT.has(tensor.name)) {
      sums.inputBytes += bytes;
      if (tensor.name === "token_embd.weight") sums.tokenEmbeddingBytes = bytes;
    } else if (place !== undefined || tensor.name.startsWith("mtp.")) sums.predictionBytes += bytes;
    else if (PROJECTOR.test(tensor.name)) sums.projectorBytes += bytes;
    else sums.outputBytes += bytes;
    hasOutput ||= tensor.name === "output.weight";
  }
  return { ...sums, tied: !hasOutput && sums.tokenEmbeddingBytes > 0, layers, tensorCount: tensors.length };
}
