import type { ModelShape } from "./modelShape.ts";
import { buildShape } from "./shapeBuild.ts";
import { ShapeProblem } from "./shapeProblem.ts";
import { readTensorList } from "./shapeTensors.ts";

/**
 * A model's shape from an answer of `/api/show`: without `verbose` (per-layer arrays are null: widths come from the
 * tensor list), with it, or from `model_info` alone (then parts that need the tensor list are absent).
 * Throws {@link ShapeProblem} when the answer cannot carry an estimate.
 */
export function shapeFromShow(show: unknown): ModelShape {
  if (typeof show !== "object" || show === null || Array.isArray(show)) {
    throw new ShapeProblem("not-an-object", "an answer of /api/show is a JSON object with model_info");
  }
  const answer = show as Record<string, unknown>;
  if (typeof answer["remote_host"] === "string" || typeof answer["remote_model"] === "string") {
    throw new ShapeProblem(
      "remote-model",
      "this model runs on another host (remote_host): it takes no memory here",
    );
  }
  const info = answer["model_info"];
  if (typeof info !== "object" || info === null || Array.isArray(info)) {
    throw new ShapeProblem(
      "no-metadata",
      "model_info is missing: the model is no GGUF file, or the answer is not one of /api/show",
    );
  }
  const remarks: string[] = [];
  const projector = answer["projector_info"];
  return buildShape({
    info: info as Record<string, unknown>,
    tensors: readTensorList(answer["tensors"], remarks),
    projector: typeof projector === "object" && projector !== null && Object.keys(projector).length > 0,
    remarks,
  });
}
