import { SettingsProblem } from "./estimateSettings.ts";
import { FILE_TYPES, fileTypeNamed, type FileType } from "./fileTypes.ts";
import type { ModelShape, TensorShape } from "./modelShape.ts";
import { holdsValues, quantizedType, type Neighbours } from "./quantizeRules.ts";
import { layerOfTensor } from "./shapeTensors.ts";
import { sumWeights } from "./shapeWeights.ts";

/**
 * The same model with the tensor types that `llama-quantize` gives them for a file type, without an importance matrix.
 * Throws {@link SettingsProblem} naming the valid ones for any other; without a tensor list nothing changes but a remark.
 */
export function withFileType(shape: ModelShape, name: string): ModelShape {
  const fileType = fileTypeNamed(name);
  if (fileType === undefined) {
    const valid = FILE_TYPES.map((type) => type.name).join(", ");
    throw new SettingsProblem(
      "quantization",
      `quantization ${JSON.stringify(name.slice(0, 32))} is not known; valid are ${valid}`,
    );
  }
  if (shape.tensors === undefined) {
    const remark = `weights as ${fileType.name} need the tensor list, which is not there`;
    return { ...shape, weights: undefined, remarks: [...shape.remarks, remark] };
  }
  const tensors = requantized(shape, shape.tensors, fileType);
  const remarks = [
    ...shape.remarks,
    `weights as ${fileType.name}, by llama-quantize's rules without an importance matrix`,
  ];
  return { ...shape, tensors, weights: sumWeights(tensors, shape.layers.length, remarks), remarks };
}

function requantized(shape: ModelShape, tensors: readonly TensorShape[], fileType: FileType): TensorShape[] {
  const neighbours = neighboursOf(shape, tensors);
  const seen = new Map<string, number>();
  return tensors.map((tensor) => {
    const kind = layerOfTensor(tensor.name)?.rest ?? tensor.name;
    const counted = holdsValues(kind) ? "values" : kind;
    const index = seen.get(counted) ?? 0;
    seen.set(counted, index + 1);
    return { ...tensor, type: quantizedType(tensor, fileType, { ...neighbours, kind, index }) };
  });
}

function neighboursOf(
  shape: ModelShape,
  tensors: readonly TensorShape[],
): Omit<Neighbours, "kind" | "index"> {
  const attention = shape.layers.find((layer) => layer.attention !== undefined)?.attention;
  const keyHeads = Math.max(
    1,
    Math.floor((attention?.keyWidth ?? 0) / Math.max(1, attention?.keyLength ?? 1)),
  );
  return {
    layerCount: shape.layers.length,
    valueCount: tensors.filter(({ name }) => holdsValues(layerOfTensor(name)?.rest ?? "")).length,
    queriesPerKey: (attention?.headCount ?? 0) / keyHeads,
    expertCount: shape.layers.find((layer) => layer.feedForward?.experts)?.feedForward?.experts?.count ?? 0,
    hasOutput: tensors.some(({ name }) => name === "output.weight"),
    isLlama70: shape.architecture === "llama" && shape.layers.length === 80,
  };
}
